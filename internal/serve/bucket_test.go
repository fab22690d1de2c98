package serve

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/serve/content"
	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

var inBuckets = []string{inBucket + "bundle.tgz", inBucket + "layout/"}

// requests wants the requests to the bucket since the last call.
func (w *world) requests(what string, want map[string]int) {
	w.t.Helper()
	if got := w.server.Requests(); !maps.Equal(got, want) {
		w.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestRequestsToABucket counts what a start, a look for changes, and pulls ask for.
func TestRequestsToABucket(t *testing.T) {
	for _, input := range inBuckets {
		t.Run(input, func(t *testing.T) {
			w, path := withLarge(t, input)
			w.server.Requests()
			s := w.serveStill(input)
			w.requests("start", map[string]int{"HEAD": 1, "GET": 2})
			for range 3 {
				s.Inputs.Refresh(t.Context())
			}
			w.requests("three looks", map[string]int{"HEAD": 3})
			for _, when := range []string{"first", "second"} {
				if a := s.get(path); a.status != 200 || a.body != string(large()) {
					t.Error(a.status, len(a.body))
				}
				w.requests(when+" pull of a blob", map[string]int{"GET": 1})
			}
			s.get("/v2/team/app/tags/list")
			s.get("/v2/_catalog")
			w.requests("lists", map[string]int{})
			if a := s.get(path, "Range: bytes=1000000-1999999"); a.status != 206 || a.body != string(large()[1000000:2000000]) {
				t.Error(a.status, len(a.body))
			}
			if got := w.server.Requests(); got["GET"]+got["HEAD"] != 2 {
				t.Errorf("a part: %v", got)
			}
			if a := s.get("/v2/team/app/manifests/v1"); a.status != 200 {
				t.Error(a.status)
			}
			if got := w.server.Requests(); got["GET"] > 1 || got["HEAD"] > 0 {
				t.Errorf("a manifest: %v", got)
			}
		})
	}
}

// TestBucketThatFailsForAWhile: clients are told to come again, and nothing that they get is
// wrong, then or later. Tags and the catalog are in memory.
func TestBucketThatFailsForAWhile(t *testing.T) {
	for _, input := range inBuckets {
		t.Run(input, func(t *testing.T) {
			w := newWorld(t)
			source := w.backup(input, "registry.example", func(s *testregistry.Seeder) {
				fillTeam(s)
				image := s.Image("team/large", "v1", large(), testregistry.Random("more", 1<<20)) // beyond what a start reads
				s.Referrer("team/large", image, "application/vnd.example.sbom", []byte("sbom of large"))
			})
			before := w.serveStill(input) // one fault after the other
			for _, tt := range []struct {
				name   string
				fault  *testbucket.Fault
				status int
			}{
				{"503", testbucket.SlowDown(), 503},
				{"500", testbucket.Status(500, "InternalError"), 503},
				{"no answer", testbucket.Reset(), 503},
				{"expired", testbucket.Status(400, "ExpiredToken"), 502},
				{"not allowed", testbucket.Status(403, "AccessDenied"), 502},
				{"no such bucket", testbucket.Status(404, "NoSuchBucket"), 502},
			} {
				t.Run(tt.name, func(t *testing.T) {
					for _, s := range []*site{w.serveStill(input), before} {
						w.server.Inject(func(testbucket.Call) *testbucket.Fault { return tt.fault })
						unreachable(t, w, s, source, tt.status, strings.HasSuffix(input, "/"))
						w.server.Inject(nil)
						s.Inputs.Refresh(t.Context())
						if a := s.get("/v2/team/large/manifests/v1"); a.status != 200 {
							t.Error("afterwards:", a)
						}
					}
				})
			}
			before.same(source, asIs)
		})
	}
}

// unreachable checks what clients get while no request to the bucket succeeds. The manifests of
// a small bundle are read at the start.
func unreachable(t *testing.T, w *world, s *site, source *origin, status int, noManifests bool) {
	w.server.Requests()
	before := len(s.saidAll())
	blob := "/v2/team/large/blobs/" + digest.FromBytes(large()).String()
	s.get(blob).is(t, "blob", status, "UNAVAILABLE")
	s.get(blob, "Range: bytes=5-9").is(t, "part", status, "UNAVAILABLE")
	if head := s.do(http.MethodHead, blob); head.status != status {
		t.Error("HEAD", head.status)
	}
	if noManifests {
		v1 := source.Resolve("team/large", "v1").String()
		s.get("/v2/team/large/manifests/v1").is(t, "manifest", status, "UNAVAILABLE")
		s.get("/v2/team/large/manifests/"+v1).is(t, "manifest", status, "UNAVAILABLE")
		s.get("/v2/team/large/referrers/"+v1).is(t, "referrers", status, "UNAVAILABLE")
	}
	if a := s.get("/v2/team/large/tags/list"); a.status != 200 {
		t.Error(a)
	}
	for range 3 {
		s.Inputs.Refresh(t.Context())
	}
	if said := s.saidAll()[before:]; strings.Count(said, "cannot look for changes; what was read before is still served") != 1 || strings.Contains(said, testbucket.SecretKey) {
		t.Error(said)
	}
	for key, n := range w.server.Requests() {
		if n > 60 {
			t.Errorf("%d requests of %s", n, key)
		}
	}
}

// TestBodiesFromABucketThatBreak: each is resumed in the same version of the object, and a
// client whose blob cannot be had whole sees it.
func TestBodiesFromABucketThatBreak(t *testing.T) {
	for _, input := range inBuckets {
		t.Run(input, func(t *testing.T) {
			w, path := withLarge(t, input)
			s := w.serveStill(input)
			w.server.Inject(func(testbucket.Call) *testbucket.Fault { return testbucket.Cut(900_000) })
			for range 2 {
				if a := s.get(path); a.status != 200 || a.body != string(large()) {
					t.Errorf("%d, %d bytes, %v", a.status, len(a.body), a.err)
				}
			}
			n := 0
			w.server.Inject(func(testbucket.Call) *testbucket.Fault {
				if n++; n == 1 {
					return testbucket.Cut(1_500_000)
				}
				return testbucket.SlowDown()
			})
			if a := s.get(path); a.err == nil || !strings.HasPrefix(string(large()), a.body) {
				t.Errorf("%d, %d bytes, %v", a.status, len(a.body), a.err)
			}
			w.server.Inject(nil)
			if a := s.get(path); a.status != 200 || a.body != string(large()) {
				t.Errorf("afterwards: %d, %d bytes, %v", a.status, len(a.body), a.err)
			}
		})
	}
}

// TestReplacedBundleInABucketIsNoticedByARequest: the first request that finds another version
// of the object gets the new content, and a burst of them looks for it once.
func TestReplacedBundleInABucketIsNoticedByARequest(t *testing.T) {
	for _, name := range []string{"bundle.tgz", "bundle.tar"} {
		t.Run(name, func(t *testing.T) {
			input := inBucket + name
			w, path := withLarge(t, input)
			s := w.serveStill(input)
			other := newWorld(t)
			other.backup(name, "registry.example", func(s *testregistry.Seeder) {
				s.Image("team/app", "v1", testregistry.Random("before", 2<<20), large())
				s.Image("team/app", "v2", []byte("new"))
			})
			w.replace(input, other.path(name))
			w.server.Requests()
			var pulls sync.WaitGroup
			for range 20 {
				pulls.Go(func() {
					if a := s.get(path); a.status != 200 || a.body != string(large()) {
						t.Errorf("%d, %d bytes, %v %s", a.status, len(a.body), a.err, a.code())
					}
				})
			}
			pulls.Wait()
			if got := w.server.Requests()["HEAD"]; got != 1 {
				t.Errorf("%d looks for changes", got)
			}
			if a := s.get("/v2/team/app/manifests/v2"); a.status != 200 {
				t.Error(a)
			}
		})
	}
}

// TestVersionsNeverMix replaces a bundle again and again while clients pull: what arrives
// whole is right.
func TestVersionsNeverMix(t *testing.T) {
	input := inBucket + "bundle.tgz"
	w, path := withLarge(t, input)
	s := w.serveStill(input)
	files := []string{w.path("one.tgz"), w.path("two.tgz")}
	for i, name := range []string{"one.tgz", "two.tgz"} {
		other := newWorld(t)
		other.backup(name, "registry.example", func(s *testregistry.Seeder) {
			s.Image("team/app", "v1", testregistry.Random("before", (i+1)<<20), large(), []byte(name))
		})
		files[i] = other.path(name)
	}
	var whole atomic.Int64
	var clients sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				resp := s.held(path)
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode == 200 && err == nil {
					whole.Add(1)
					if string(got) != string(large()) {
						t.Errorf("%d wrong bytes", len(got))
					}
				}
			}
		})
	}
	for i := range 20 {
		w.put(input, files[i%2])
	}
	close(done)
	clients.Wait()
	if whole.Load() == 0 {
		t.Error("no blob arrived")
	}
	s.Inputs.Refresh(t.Context())
	if a := s.get(path); a.status != 200 || a.body != string(large()) {
		t.Errorf("%d, %d bytes", a.status, len(a.body))
	}
}

// TestRepairedObjectIsServed: a verdict holds for an object of one size, ETag and time.
func TestRepairedObjectIsServed(t *testing.T) {
	input := inBucket + "layout/"
	w, path := withLarge(t, input)
	file := blobFile(w, input, digest.FromBytes(large()))
	flip(t, file, large(), 5000)
	if err := os.Chtimes(file, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	s := w.serve(input)
	s.get(path)
	s.get(path).is(t, "damaged", 404, "BLOB_UNKNOWN")
	good := newWorld(t)
	good.backup("layout/", "registry.example", func(s *testregistry.Seeder) { s.Image("team/app", "v1", large()) })
	w.put(input+"blobs/sha256/"+digest.FromBytes(large()).Encoded(), blobFile(good, "layout", digest.FromBytes(large())))
	if a := s.get(path); a.status != 200 || a.body != string(large()) {
		t.Error(a.status, len(a.body))
	}
}

// TestSeveralInputsWithABucket: one registry of a file and a bucket, where either may lack a
// blob.
func TestSeveralInputsWithABucket(t *testing.T) {
	w := newWorld(t)
	w.backup("bundle.tgz", "registry.example", func(s *testregistry.Seeder) { s.Image("team/app", "v1", []byte("of the file")) })
	w.backup(inBucket+"layout/", "registry.example", func(s *testregistry.Seeder) { s.Image("team/app", "v2", []byte("of the bucket")) })
	s := w.serve("bundle.tgz", inBucket+"layout/")
	for _, content := range []string{"of the file", "of the bucket"} {
		if a := s.get("/v2/team/app/blobs/" + digest.FromString(content).String()); a.status != 200 || a.body != content {
			t.Error(content, a.status, a.body)
		}
	}
	if tags := s.get("/v2/team/app/tags/list").list(t, "tags"); fmt.Sprint(tags) != "[v1 v2]" {
		t.Error(tags)
	}
	w.server.Inject(func(testbucket.Call) *testbucket.Fault { return testbucket.SlowDown() })
	s.get("/v2/team/app/blobs/"+digest.FromString("of the file").String()).is(t, "the file", 200, "")
	s.get("/v2/team/app/blobs/"+digest.FromString("of the bucket").String()).is(t, "the bucket", 503, "UNAVAILABLE")
	s.get("/v2/team/app/blobs/"+digest.FromString("of neither").String()).is(t, "of neither", 503, "UNAVAILABLE")
}

// TestVerifiedBundleInABucket: what was hashed before the start is not hashed again, since all
// reads are of that version.
func TestVerifiedBundleInABucket(t *testing.T) {
	w, path := withLarge(t, inBucket+"bundle.tgz")
	check := func(ctx context.Context, _ string, l store.Layout) (*verify.Result, error) {
		return store.Verify(ctx, l, verify.Options{})
	}
	s := w.serveWith(content.Options{Check: check}, inBucket+"bundle.tgz")
	w.server.Sent()
	end := len(large()) - 10
	if a := s.get(path, fmt.Sprintf("Range: bytes=%d-", end)); a.status != 206 || a.body != string(large()[end:]) {
		t.Error(a.status, len(a.body))
	}
	if n := w.server.Sent(); n > 3<<19 {
		t.Errorf("%d bytes were read for the last ten", n)
	}
}
