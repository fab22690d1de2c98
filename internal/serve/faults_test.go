package serve

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/serve/content"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
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
