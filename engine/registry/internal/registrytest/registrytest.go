// Package registrytest has the clock and the handlers that the tests of registry and of transport
// share. A whole registry for tests is in internal/testregistry.
package registrytest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Clock is time for tests: to sleep is to move it.
type Clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

// NewClock returns a clock that shows a time of 2026.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep moves the clock.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

// Sleeps returns the times that callers have slept.
func (c *Clock) Sleeps() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration{}, c.slept...)
}

// Serve starts a registry and returns its host:port.
func Serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// CredentialsFile writes a docker config file and returns its path.
func CredentialsFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// ImageManifest is a manifest without layers.
var ImageManifest = []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`)

// GiveManifest answers a GET or HEAD of a manifest.
func GiveManifest(w http.ResponseWriter, r *http.Request, data []byte) {
	w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
	w.Header().Set("Docker-Content-Digest", digest.FromBytes(data).String())
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	if r.Method != http.MethodHead {
		w.Write(data)
	}
}

// GiveError answers as registries do.
func GiveError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
}

// BreakOff ends the connection under a handler.
func BreakOff() { panic(http.ErrAbortHandler) }

// BlobServer serves one blob, and truncates its responses.
type BlobServer struct {
	Data     []byte
	NoRange  bool
	Cut      func(request int32) int // bytes after which the connection breaks; <0: never
	Requests atomic.Int32
	Ranges   atomic.Int32 // requests with a Range
}

// Serve answers a request for the blob.
func (s *BlobServer) Serve(w http.ResponseWriter, req *http.Request) {
	n := s.Requests.Add(1)
	if req.Header.Get("Range") != "" {
		s.Ranges.Add(1)
		if s.NoRange {
			req.Header.Del("Range")
		}
	}
	if keep := s.Cut(n); keep >= 0 {
		w = &cutWriter{ResponseWriter: w, left: keep}
	}
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(s.Data))
}

type cutWriter struct {
	http.ResponseWriter
	left int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p[:min(len(p), w.left)])
	if w.left -= n; w.left == 0 && err == nil {
		http.NewResponseController(w.ResponseWriter).Flush()
		BreakOff()
	}
	return n, err
}

// DescribeBytes returns the descriptor of a blob.
func DescribeBytes(data []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: "application/octet-stream", Digest: digest.FromBytes(data), Size: int64(len(data))}
}

// RandomBytes returns n bytes, the same each time.
func RandomBytes(n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{7}).Read(data)
	return data
}

// Opener opens data again each time, and counts.
func Opener(data []byte, n *int) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		*n++
		return io.NopCloser(bytes.NewReader(data)), nil
	}
}

// Equal checks a value.
func Equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// NoError ends the test after an error.
func NoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
