package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// clock is time for tests: to sleep is to move it.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

func (c *clock) sleeps() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration{}, c.slept...)
}

// options are those of a run with that clock, the longest back-offs, and no
// credentials of the user that runs the test.
func (c *clock) options(t *testing.T) Options {
	return Options{
		CredentialFiles: []string{filepath.Join(t.TempDir(), "none.json")},
		Retry:           RetryOptions{Now: c.Now, Sleep: c.Sleep, Jitter: func() float64 { return 1 }},
	}
}

// serve starts a registry and returns its host:port.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// repository returns test/repo of a registry with the handler h.
func repository(t *testing.T, h http.HandlerFunc) (*Repository, *clock) {
	t.Helper()
	c := newClock()
	return open(t, New(c.options(t)), serve(t, h), "test/repo"), c
}

func open(t *testing.T, c *Client, host, name string) *Repository {
	t.Helper()
	r, err := c.Repository(host, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func describeBytes(data []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: "application/octet-stream", Digest: digest.FromBytes(data), Size: int64(len(data))}
}

var imageManifest = []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`)

// giveManifest answers a GET or HEAD of a manifest.
func giveManifest(w http.ResponseWriter, r *http.Request, data []byte) {
	w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
	w.Header().Set("Docker-Content-Digest", digest.FromBytes(data).String())
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	if r.Method != http.MethodHead {
		w.Write(data)
	}
}

// giveError answers as registries do.
func giveError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
}

// breakOff ends the connection under a handler.
func breakOff() { panic(http.ErrAbortHandler) }

// opener opens data again each time, and counts.
func opener(data []byte, n *int) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		*n++
		return io.NopCloser(bytes.NewReader(data)), nil
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
