package serve

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/serve/content"
	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// large is a blob of several members that is stored in a bundle.
var large = sync.OnceValue(func() []byte {
	return append([]byte{0x1f, 0x8b}, testregistry.Random("large", 3<<20)...)
})

// withLarge makes an input with the large blob.
func withLarge(t testing.TB, input string) (w *world, path string) {
	t.Helper()
	w = newWorld(t)
	w.backup(input, "registry.example", func(s *testregistry.Seeder) { s.Image("team/app", "v1", large()) })
	return w, "/v2/team/app/blobs/" + digest.FromBytes(large()).String()
}

// flip changes a byte of a file, where some content begins, far behind that.
func flip(t testing.TB, path string, content []byte, at int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin := bytes.Index(data, content[:1000])
	if begin < 0 {
		t.Fatal("the content is not there")
	}
	data[begin+at] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func blobFile(w *world, layout string, d digest.Digest) string {
	return filepath.Join(w.file(layout), "blobs", "sha256", d.Encoded())
}

// TestDamagedBlobNeverArrivesWhole: not the first time, and not later, wherever a byte of it
// is wrong.
func TestDamagedBlobNeverArrivesWhole(t *testing.T) {
	for _, input := range kinds {
		for _, at := range []int{100, 1 << 20, len(large()) - 1} {
			t.Run(fmt.Sprint(input, at), func(t *testing.T) {
				w, path := withLarge(t, input)
				file := w.file(input)
				if strings.HasSuffix(input, "/") {
					file = blobFile(w, input, digest.FromBytes(large()))
				}
				flip(t, file, large(), min(at, len(large())-20_000))
				s := w.serve(input)
				first := s.get(path)
				if first.status == 200 && (first.err == nil || len(first.body) > len(large())-heldBack) {
					t.Errorf("%d bytes, %v", len(first.body), first.err)
				}
				if first.header.Get("Content-Length") != fmt.Sprint(len(large())) && first.status == 200 {
					t.Error(first.header)
				}
				s.get(path).is(t, "once more", 404, "BLOB_UNKNOWN")
				s.get(path, fmt.Sprintf("Range: bytes=%d-", len(large())-10)).is(t, "its end", 404, "BLOB_UNKNOWN")
			})
		}
	}
}

// TestEndOfABlobIsSentOnceAllIsHashed: parts by Range do not make a damaged blob whole.
func TestEndOfABlobIsSentOnceAllIsHashed(t *testing.T) {
	for _, input := range []string{"layout/", inBucket + "layout/"} {
		t.Run(input, func(t *testing.T) {
			w, path := withLarge(t, input)
			flip(t, blobFile(w, input, digest.FromBytes(large())), large(), 5000)
			s := w.serve(input)
			if a := s.get(path, "Range: bytes=0-999"); a.status != http.StatusPartialContent || a.body != string(large()[:1000]) {
				t.Error(a.status)
			}
			s.get(path, fmt.Sprintf("Range: bytes=%d-", len(large())-heldBack)).is(t, "the end", 404, "BLOB_UNKNOWN")
		})
	}
}

// TestRepairedBlobIsServed: a verdict holds for a file of one size and time.
func TestRepairedBlobIsServed(t *testing.T) {
	w, path := withLarge(t, "layout/")
	file := blobFile(w, "layout", digest.FromBytes(large()))
	flip(t, file, large(), 5000)
	s := w.serve("layout")
	s.get(path)
	s.get(path).is(t, "damaged", 404, "BLOB_UNKNOWN")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	s.get(path).is(t, "absent", 404, "BLOB_UNKNOWN")
	if err := os.WriteFile(file, large(), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := s.get(path); a.status != 200 || a.body != string(large()) {
		t.Error(a.status, len(a.body))
	}
}

// TestGoodCopyInAnotherInput: what one input has damaged or lacks, another may have.
func TestGoodCopyInAnotherInput(t *testing.T) {
	w, path := withLarge(t, "good.tgz")
	w.backup("bad/", "registry.example", func(s *testregistry.Seeder) { s.Image("team/app", "v1", large()) })
	flip(t, blobFile(w, "bad", digest.FromBytes(large())), large(), 5000)
	s := w.serve("bad", "good.tgz")
	if a := s.get(path); a.status == 200 && a.err == nil { // its head was sent before the damage was seen
		t.Error("a damaged blob arrived whole")
	}
	if a := s.get(path); a.status != 200 || a.body != string(large()) {
		t.Error(a.status, len(a.body))
	}
}

func TestDamagedManifestIsNeverSent(t *testing.T) {
	w := newWorld(t)
	source := w.backup("layout/", "registry.example", fillTeam)
	d := source.Resolve("team/app", "v1")
	file := blobFile(w, "layout", d)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(data, []byte("amd64"), []byte("amd65"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	s := w.serve("layout")
	for _, reference := range []string{"v1", d.String()} {
		a := s.get("/v2/team/app/manifests/"+reference).is(t, reference, 404, "MANIFEST_UNKNOWN")
		if bytes.Equal(data, []byte(a.body)) || !strings.Contains(a.body, "damaged") {
			t.Error(a.body)
		}
	}
}

func TestTruncatedBundleIsAnError(t *testing.T) {
	w, _ := withLarge(t, "bundle.tgz")
	if err := os.Truncate(w.path("bundle.tgz"), 2<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := content.Open(t.Context(), content.Options{Inputs: places(t, w.path("bundle.tgz"))}); err == nil || !strings.Contains(err.Error(), "truncated") {
		t.Error(err)
	}
}

// TestBundleThatIsTruncatedWhileItIsServed: a blob ends early, the rest is served.
func TestBundleThatIsTruncatedWhileItIsServed(t *testing.T) {
	w, path := withLarge(t, "bundle.tgz")
	s := w.serve("bundle.tgz")
	if err := os.Truncate(w.path("bundle.tgz"), 2<<20); err != nil {
		t.Fatal(err)
	}
	if a := s.get(path); a.err == nil && a.status == 200 {
		t.Errorf("%d bytes", len(a.body))
	}
	if a := s.get("/v2/team/app/manifests/v1"); a.status != 200 {
		t.Error(a)
	}
	s.Inputs.Refresh(t.Context())
	if a := s.get("/v2/team/app/manifests/v1"); a.status != 200 || !strings.Contains(s.saidAll(), "the former one is still served: ") {
		t.Error(a, s.saidAll())
	}
	s.Inputs.Refresh(t.Context()) // which says it once
	if n := strings.Count(s.saidAll(), "former"); n != 1 {
		t.Error(s.saidAll())
	}
}

// held is a request whose body is read step by step.
func (s *site) held(path string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp
}

// TestReplacedInputs: a request that is under way ends on what it began with, the next one
// has the new content.
func TestReplacedInputs(t *testing.T) {
	for _, input := range []string{"bundle.tgz", "layout/", inBucket + "bundle.tgz", inBucket + "layout/"} {
		t.Run(input, func(t *testing.T) {
			huge := append([]byte{0x1f, 0x8b}, testregistry.Random("huge", 24<<20)...) // more than sockets hold
			w := newWorld(t)
			w.backup(input, "registry.example", func(s *testregistry.Seeder) { s.Image("team/app", "v1", huge) })
			s := w.serve(input)
			under := s.held("/v2/team/app/blobs/" + digest.FromBytes(huge).String())
			s.Inputs.Refresh(t.Context())
			if said := s.saidAll(); said != "" {
				t.Error(said)
			}

			other, output := newWorld(t), path.Base(input)
			if strings.HasSuffix(input, "/") {
				output += "/"
			}
			other.backup(output, "registry.example", func(s *testregistry.Seeder) { hub("team/app", "v2", "new")(s); hub("team/more", "v1", "new")(s) })
			w.replace(input, other.path(output))
			s.get("/v2/team/more/manifests/v1").is(t, "before it is noticed", 404, "NAME_UNKNOWN")
			s.Inputs.Refresh(t.Context())
			if a := s.get("/v2/team/more/manifests/v1"); a.status != 200 {
				t.Error(a)
			}
			s.get("/v2/team/app/manifests/v1").is(t, "what is gone", 404, "MANIFEST_UNKNOWN")
			if said := s.saidAll(); said != "the input has changed: now 2 artifacts in 2 repositories" {
				t.Error(said)
			}
			got, err := io.ReadAll(under.Body)
			if err != nil || !bytes.Equal(got, huge) {
				t.Errorf("the request that was under way: %d bytes, %v", len(got), err)
			}
		})
	}
}

// replace puts the files of another input of its kind in place of those of an input, with
// index.json at the end.
func (w *world) replace(input, other string) {
	w.t.Helper()
	var files []string
	err := filepath.WalkDir(other, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != "oras-mirror.lock" && entry.Name() != "index.json" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if strings.HasSuffix(input, "/") {
		files = append(files, filepath.Join(other, "index.json"))
	}
	for _, file := range files {
		rest, _ := filepath.Rel(other, file)
		w.put(strings.TrimSuffix(input+filepath.ToSlash(rest), "."), file)
	}
}

// put puts a file in the place of another one, or of an object.
func (w *world) put(name, file string) {
	w.t.Helper()
	key, isObject := strings.CutPrefix(name, inBucket)
	if !isObject {
		if err := os.Rename(file, w.path(name)); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := bucket.New(testbucket.Name, bucket.Options{})
	if err == nil {
		_, err = c.Put(w.t.Context(), key, data, bucket.Condition{})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestHundredsOfPullsAtOnce: of one blob, which is hashed by several of them.
func TestHundredsOfPullsAtOnce(t *testing.T) {
	for _, input := range []string{"bundle.tgz", "layout/", inBucket + "bundle.tgz", inBucket + "layout/"} {
		t.Run(input, func(t *testing.T) {
			w, path := withLarge(t, input)
			s := w.serve(input)
			want := digest.FromBytes(large())
			var pulls sync.WaitGroup
			for range 200 {
				pulls.Go(func() {
					resp := s.held(path)
					defer resp.Body.Close()
					if got, err := io.ReadAll(resp.Body); err != nil || digest.FromBytes(got) != want {
						t.Errorf("%d bytes, %v", len(got), err)
					}
				})
			}
			pulls.Wait()
		})
	}
}

// TestSlowClientsHoldNobody: clients that take nothing keep a few KiB each, and others pull
// meanwhile.
func TestSlowClientsHoldNobody(t *testing.T) {
	for _, input := range []string{"bundle.tgz", inBucket + "bundle.tgz"} {
		t.Run(input, func(t *testing.T) { slowClients(t, input) })
	}
}

func slowClients(t *testing.T, input string) {
	w := newWorld(t)
	deflated := []byte(strings.Repeat(string(testregistry.Random("text", 300)), 100_000)) // 30 MB in members of 1 MiB
	stored := append([]byte{0x1f, 0x8b}, testregistry.Random("huge", 24<<20)...)
	w.backup(input, "registry.example", func(s *testregistry.Seeder) { s.Image("team/app", "v1", stored, deflated) })
	s := w.serve(input)
	for range 100 {
		slow := s.held("/v2/team/app/blobs/" + digest.FromBytes(stored).String())
		defer slow.Body.Close()
	}
	for range 5 {
		slow := s.held("/v2/team/app/blobs/" + digest.FromBytes(deflated).String())
		defer slow.Body.Close()
	}
	for _, content := range [][]byte{stored, deflated} {
		if a := s.get("/v2/team/app/blobs/" + digest.FromBytes(content).String()); a.err != nil || a.body != string(content) {
			t.Errorf("%d bytes, %v", len(a.body), a.err)
		}
	}
}

// TestRangesAtTheEdges compares parts of every kind with the whole.
func TestRangesAtTheEdges(t *testing.T) {
	for _, input := range kinds {
		t.Run(input, func(t *testing.T) { edges(t, input) })
	}
}

func edges(t *testing.T, input string) {
	size := len(large())
	part := func(from, to int) string { return string(large()[from:to]) }
	w, path := withLarge(t, input)
	s := w.serve(input)
	tag := `"` + digest.FromBytes(large()).String() + `"`
	for _, tt := range []struct {
		headers string // separated by |
		status  int
		want    string
		content string
	}{
		{"Range: bytes=0-0", 206, part(0, 1), fmt.Sprintf("bytes 0-0/%d", size)},
		{fmt.Sprintf("Range: bytes=%d-", size-1), 206, part(size-1, size), fmt.Sprintf("bytes %d-%d/%d", size-1, size-1, size)},
		{"Range: bytes=0-", 206, part(0, size), fmt.Sprintf("bytes 0-%d/%d", size-1, size)},
		{"Range: bytes=-5", 206, part(size-5, size), fmt.Sprintf("bytes %d-%d/%d", size-5, size-1, size)},
		{"Range: bytes=-99999999", 206, part(0, size), fmt.Sprintf("bytes 0-%d/%d", size-1, size)},
		{"Range: bytes=1048063-1048576", 206, part(1048063, 1048577), fmt.Sprintf("bytes 1048063-1048576/%d", size)},
		{fmt.Sprintf("Range: bytes=10-%d", size+5), 206, part(10, size), fmt.Sprintf("bytes 10-%d/%d", size-1, size)},
		{"Range: bytes=5-99999999999999999999", 206, part(5, size), fmt.Sprintf("bytes 5-%d/%d", size-1, size)},
		{fmt.Sprintf("Range: bytes=%d-", size), 416, "", fmt.Sprintf("bytes */%d", size)},
		{"Range: bytes=99999999999999999999-", 416, "", fmt.Sprintf("bytes */%d", size)},
		{"Range: bytes=-0", 416, "", fmt.Sprintf("bytes */%d", size)},
		{"Range: bytes=5-4", 416, "", fmt.Sprintf("bytes */%d", size)},
		{"Range: bytes=0-1,5-6", 200, part(0, size), ""},
		{"Range: bytes=a-b", 200, part(0, size), ""},
		{"Range: bytes=--1", 200, part(0, size), ""},
		{"Range: lines=0-1", 200, part(0, size), ""},
		{"Range: bytes=0-1|If-Range: " + tag, 206, part(0, 2), fmt.Sprintf("bytes 0-1/%d", size)},
		{`Range: bytes=0-1|If-Range: "other"`, 200, part(0, size), ""},
		{"If-None-Match: " + tag, 304, "", ""},
		{`If-None-Match: "other"`, 200, part(0, size), ""},
	} {
		a := s.get(path, strings.Split(tt.headers, "|")...)
		if a.status == 416 && a.code() == "SIZE_INVALID" {
			a.body = ""
		}
		if a.status != tt.status || a.body != tt.want || a.header.Get("Content-Range") != tt.content {
			t.Errorf("%s, %s: %d, %d bytes, %s", input, tt.headers, a.status, len(a.body), a.header.Get("Content-Range"))
		}
	}
	head := s.do(http.MethodHead, path, "Range: bytes=0-1")
	if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != fmt.Sprint(size) || head.header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("%s: HEAD %v", input, head)
	}
}

// TestBodyOfARequestIsNotWaitedFor: a client that announces one and sends nothing gets its
// answer.
func TestBodyOfARequestIsNotWaitedFor(t *testing.T) {
	w, _ := withLarge(t, "bundle.tgz")
	s := w.serve("bundle.tgz")
	conn, err := net.Dial("tcp", s.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PUT /v2/team/app/manifests/v2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(got, []byte("HTTP/1.1 405 ")) {
		t.Errorf("%q, %v", got, err)
	}
}
