package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/serve/content"
	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// world is a folder of inputs, made of registries with proper names.
type world struct {
	t      testing.TB
	dir    string
	server *testbucket.Server // of the inputs in a bucket; nil before the first one
}

// inBucket is the bucket of inputs.
const inBucket = "s3://" + testbucket.Name + "/"

// kinds are the inputs of every kind.
var kinds = []string{"bundle.tgz", "bundle.tar", "layout/", inBucket + "bundle.tgz", inBucket + "bundle.tar", inBucket + "layout/"}

func newWorld(t testing.TB) *world {
	t.Helper()
	return &world{t: t, dir: t.TempDir()}
}

// path returns the path of an input.
func (w *world) path(name string) string {
	if store.IsInBucket(name) {
		return name
	}
	return filepath.Join(w.dir, name)
}

// file returns the path of the file of an input, or of an object.
func (w *world) file(name string) string {
	if key, ok := strings.CutPrefix(name, inBucket); ok {
		return filepath.Join(w.server.Folder, filepath.FromSlash(key))
	}
	return w.path(name)
}

// backup fills a registry, and backs it up to a file or, with a slash at the end, to a
// directory, as if the registry had a name without a port.
func (w *world) backup(output, host string, fill func(*testregistry.Seeder)) *origin {
	w.t.Helper()
	source := &origin{w.t, testregistry.New(w.t, testregistry.Options{})}
	fill(source.Seeder)
	w.reach(output)
	named := w.path("named " + strings.TrimSuffix(path.Base(output), "/"))
	w.copy(named+"/", config.Selection{Registry: source.Host, Referrers: true})
	w.rename(named, source.Host, host)
	if strings.HasSuffix(output, "/") && !store.IsInBucket(output) {
		if err := os.Rename(named, w.path(output)); err != nil {
			w.t.Fatal(err)
		}
		return source
	}
	w.copy(w.path(output), config.Selection{Layout: named, Referrers: true})
	return source
}

// reach starts the server of an input in a bucket.
func (w *world) reach(input string) {
	w.t.Helper()
	if store.IsInBucket(input) && w.server == nil {
		w.server = testbucket.New(w.t)
	}
}

// places returns the places of inputs. Between the requests to a bucket there is no pause.
func places(t testing.TB, paths ...string) (all []store.Place) {
	t.Helper()
	retry := bucket.Retry{Tries: 4, Sleep: func(context.Context, time.Duration) error { return nil }}
	for _, path := range paths {
		p, err := store.At(path, store.OpenOptions{Buckets: store.Buckets{Retry: retry}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// origin is a registry that inputs were made of.
type origin struct {
	t testing.TB
	*testregistry.Registry
}

func (o *origin) contents() testregistry.Contents {
	o.t.Helper()
	contents, err := testregistry.Snapshot(o.t.Context(), o.Access())
	if err != nil {
		o.t.Fatal(err)
	}
	return contents
}

// Resolve returns the digest of a tag.
func (o *origin) Resolve(repository, tag string) digest.Digest {
	o.t.Helper()
	return o.contents()[repository+":"+tag].Digest
}

// copy runs a backup.
func (w *world) copy(output string, selection config.Selection) {
	w.t.Helper()
	out, err := store.Create(output, store.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	report, err := backup.Run(w.t.Context(), registry.New(registry.Options{}), []config.Selection{selection}, out, engine.BackupOptions{})
	if err == nil {
		err = out.Close()
	}
	if err != nil || len(report.Failures()) > 0 {
		w.t.Fatal(err, report.Failures())
	}
}

// rename replaces a text in the index.json of a directory.
func (w *world) rename(dir, from, to string) {
	w.t.Helper()
	path := filepath.Join(dir, "index.json")
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(strings.ReplaceAll(string(text), from, to)), 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// site is a registry that serves.
type site struct {
	t testing.TB
	*Handler
	testregistry.Access
	url string

	mu      sync.Mutex // guards the following fields
	notices []string
	log     []Access
}

// serve serves inputs of the world.
func (w *world) serve(inputs ...string) *site { return w.serveWith(content.Options{}, inputs...) }

// serveWith serves inputs, at which it looks every few seconds.
func (w *world) serveWith(o content.Options, inputs ...string) *site {
	w.t.Helper()
	s := w.open(o, inputs...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, l, nil) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	return s.at(l.Addr().String())
}

// serveStill serves inputs, at which it looks only in Refresh: requests can be counted.
func (w *world) serveStill(inputs ...string) *site {
	w.t.Helper()
	return w.listen(w.open(content.Options{}, inputs...))
}

// listen lets a site answer, without a look at its inputs.
func (w *world) listen(s *site) *site {
	w.t.Helper()
	server := httptest.NewServer(s.Handler)
	w.t.Cleanup(server.Close)
	return s.at(server.Listener.Addr().String())
}

func (s *site) at(host string) *site {
	s.Access = testregistry.Access{Host: host, PlainHTTP: true}
	s.url = "http://" + host
	return s
}

// open returns a site that does not listen yet.
func (w *world) open(o content.Options, inputs ...string) *site {
	w.t.Helper()
	s := &site{t: w.t}
	for _, input := range inputs {
		o.Inputs = append(o.Inputs, places(w.t, w.path(input))...)
	}
	o.Notice = func(text string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.notices = append(s.notices, strings.ReplaceAll(text, w.dir+"/", ""))
	}
	in, err := content.Open(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	s.Handler = &Handler{Inputs: in, Log: func(a Access) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.log = append(s.log, a)
	}}
	w.t.Cleanup(in.Close)
	return s
}

// saidAll returns the notices so far.
func (s *site) saidAll() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.notices, "\n")
}

// answer is the response to a request of a test.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of the body
}

// do sends a request with some headers, as in "Range: bytes=0-1".
func (s *site) do(method, path string, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, line := range headers {
		key, value, _ := strings.Cut(line, ": ")
		req.Header.Set(key, value)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(method, path, err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if method == http.MethodGet {
		body.Grow(int(max(resp.ContentLength, 0)) + bytes.MinRead)
	}
	_, err = body.ReadFrom(resp.Body)
	return answer{resp.StatusCode, resp.Header, body.String(), err}
}

func (s *site) get(path string, headers ...string) answer {
	s.t.Helper()
	return s.do(http.MethodGet, path, headers...)
}

// code returns the code of the error in an answer.
func (a answer) code() string {
	var document struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal([]byte(a.body), &document) != nil || len(document.Errors) != 1 {
		return ""
	}
	return document.Errors[0].Code
}

// is checks the status and the error code of an answer; "" for none.
func (a answer) is(t testing.TB, what string, status int, code string) answer {
	t.Helper()
	if a.status != status || a.code() != code {
		t.Errorf("%s: %d %s, want %d %s\n%s", what, a.status, a.code(), status, code, a.body)
	}
	return a
}

// strings decodes a list in an answer.
func (a answer) list(t testing.TB, key string) []string {
	t.Helper()
	document := make(map[string]any)
	if err := json.Unmarshal([]byte(a.body), &document); err != nil {
		t.Fatal(err, a.body)
	}
	all, ok := document[key].([]any)
	if !ok {
		t.Fatalf("no list %s in %s", key, a.body)
	}
	var texts []string
	for _, one := range all {
		texts = append(texts, one.(string))
	}
	return texts
}

// same compares all that a registry has with all that the site shows.
func (s *site) same(source *origin, rename func(string) string) {
	s.t.Helper()
	got, err := testregistry.Snapshot(s.t.Context(), s.Access)
	if err != nil {
		s.t.Fatal(err)
	}
	if lines := testregistry.Diff(source.contents().Map(rename), got); len(lines) > 0 {
		s.t.Error(strings.Join(lines, "\n"))
	}
}

func asIs(name string) string { return name }

// fillTeam puts images for two platforms, a blob of several members, and referrers.
func fillTeam(s *testregistry.Seeder) {
	base := append([]byte{0x1f, 0x8b}, testregistry.Random("base", 3<<20)...)
	amd64 := s.Image("team/app", "", base, []byte("amd64"))
	arm64 := s.Image("team/app", "", base, []byte(strings.Repeat("arm64 ", 1<<19)))
	v1 := s.Index("team/app", "v1", amd64, arm64)
	sbom := s.Referrer("team/app", v1, "application/vnd.example.sbom", []byte("sbom"))
	s.Referrer("team/app", sbom, "application/vnd.example.signature", []byte("signature"))
	s.Referrer("team/app", arm64, "application/vnd.example.sbom", []byte("sbom of arm64"))
	s.Image("team/app", "sha256-"+amd64.Digest.Encoded()+".sig", []byte("cosign"))
	s.Artifact("charts/app", "0.1.0", "application/vnd.example.chart", []byte("chart"))
	s.Artifact("charts/app", "0.2.0", "application/vnd.example.chart")
	s.DockerList("tools/make", "v1", s.DockerImage("tools/make", "", base))
}
