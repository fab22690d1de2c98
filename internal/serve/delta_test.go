package serve

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// TestBaseOnlyLendsItsBlobs serves a delta with its base, and compares the answers with those
// of the full layout.
func TestBaseOnlyLendsItsBlobs(t *testing.T) {
	w := newWorld(t)
	shared := testregistry.Random("shared", 5000)
	w.backup("base/", "one.example", func(s *testregistry.Seeder) {
		s.Image("app", "v1", shared)
		s.Image("app", "gone", []byte("gone"))
	})
	w.backup("full/", "one.example", func(s *testregistry.Seeder) {
		s.Image("app", "v1", shared, []byte("moved"))
		s.Image("tool", "v2", shared)
	})
	if err := os.CopyFS(w.path("delta"), os.DirFS(w.path("full"))); err != nil {
		t.Fatal(err)
	}
	base, err := store.OpenLayout(w.path("base"), store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	delta, err := store.OpenDir(w.path("delta"))
	if err != nil {
		t.Fatal(err)
	}
	delta.Index().Annotations = map[string]string{oci.AnnotationBase: base.Index().RootsDigest(nil).String()}
	if err := errors.Join(delta.Commit(t.Context()), delta.Close(), base.Close(), os.Remove(w.path("delta/blobs/sha256/"+digest.FromBytes(shared).Encoded()))); err != nil {
		t.Fatal(err)
	}
	want := w.serve("full/")
	for _, order := range [][]string{{"base/", "delta/"}, {"delta/", "base/"}} {
		s := w.serve(order...)
		for _, path := range []string{"/v2/_catalog", "/v2/app/tags/list", "/v2/tool/tags/list", "/v2/app/manifests/v1", "/v2/app/manifests/gone", "/v2/app/blobs/" + digest.FromBytes(shared).String()} {
			if got, want := s.get(path), want.get(path); got.status != want.status || got.body != want.body {
				t.Errorf("%v: %s: %d %s, expected %d %s", order, path, got.status, got.body, want.status, want.body)
			}
		}
		if strings.Contains(s.saidAll(), "base") {
			t.Errorf("%v: %s", order, s.saidAll())
		}
	}
}
