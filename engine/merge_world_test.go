package engine_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/merge"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// openUnion opens layouts as restore does with several --input.
func openUnion(t testing.TB, paths ...string) store.Layout {
	t.Helper()
	in, err := store.OpenUnion(paths, func(path string) (store.Layout, error) {
		return store.OpenLayout(path, store.OpenOptions{TempDir: t.TempDir()})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

func tryMerge(t testing.TB, output string, inputs ...string) (*engine.Report, error) {
	t.Helper()
	out, err := store.Create(output, store.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := merge.Run(t.Context(), openUnion(t, inputs...), out, merge.Options{})
	return report, errors.Join(err, out.Close())
}

// mergeTo merges and fails the test unless everything is whole.
func mergeTo(t *testing.T, output string, inputs ...string) string {
	t.Helper()
	report, err := tryMerge(t, output, inputs...)
	whole(t, report, err)
	return output
}

// handDelta writes what a full layout has and some bases have not, as a delta.
func handDelta(t *testing.T, path, full string, bases ...string) string {
	t.Helper()
	in := openUnion(t, full)
	var roots, names []string
	has := make(map[digest.Digest]bool)
	for _, base := range bases {
		b := openUnion(t, base)
		roots, names = append(roots, string(b.Index().RootsDigest(nil))), append(names, filepath.Base(base))
		for d := range namedBy(t, b) {
			has[d] = true
		}
	}
	var content delta.Content
	var blobs []ocispec.Descriptor
	manifests := eachManifest(t, in, func(b ocispec.Descriptor) {
		if !has[b.Digest] {
			content.Blobs, blobs = append(content.Blobs, b.Digest), append(blobs, b)
		}
	})
	index := new(oci.Index)
	index.PutAll(in.Index(), func(oci.Entry) bool { return true })
	lists := content.Lists()
	var listed []string
	for _, list := range lists {
		listed = append(listed, string(digest.FromBytes(list)))
		manifests = append(manifests, manifest{ocispec.Descriptor{Digest: digest.FromBytes(list), Size: int64(len(list))}, list})
	}
	if index.Annotations == nil {
		index.Annotations = make(map[string]string)
	}
	maps.Copy(index.Annotations, map[string]string{oci.AnnotationBase: strings.Join(roots, ","), oci.AnnotationBaseName: strings.Join(names, ","), oci.AnnotationDelta: strings.Join(listed, ",")})
	writeLayoutOf(t, path, in, manifests, index, blobs)
	return path
}

type manifest struct {
	desc ocispec.Descriptor
	data []byte
}

// eachManifest lists the manifests of a layout, and calls blob for each blob.
func eachManifest(t *testing.T, in store.Layout, blob func(ocispec.Descriptor)) (all []manifest) {
	t.Helper()
	survey, err := store.NewSurvey(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for desc := range survey.Manifests() {
		data, err := store.ReadManifest(in, desc)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, manifest{desc, data})
		for _, b := range survey.BlobsOf(desc, data) {
			blob(b)
		}
	}
	return all
}

// namedBy lists the blobs that the manifests of a layout name: a base that is a delta itself
// leaves some to its own base.
func namedBy(t *testing.T, in store.Layout) map[digest.Digest]bool {
	named := make(map[digest.Digest]bool)
	eachManifest(t, in, func(b ocispec.Descriptor) { named[b.Digest] = true })
	return named
}

// writeLayoutOf writes manifests and blobs of a layout to a new one.
func writeLayoutOf(t *testing.T, path string, in store.Layout, manifests []manifest, index *oci.Index, blobs []ocispec.Descriptor) {
	t.Helper()
	out, err := store.Create(path, store.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if dir, ok := out.(*store.Dir); ok {
		for _, m := range manifests {
			if err := dir.Push(m.desc, m.data); err != nil {
				t.Fatal(err)
			}
		}
		for _, b := range blobs {
			if err := dir.Push(b, contentOf(t, in, b)); err != nil {
				t.Fatal(err)
			}
		}
		dir.Index().PutAll(index, func(oci.Entry) bool { return true })
		if err := dir.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		return
	}
	writeArchiveOf(t, out.(*store.Archive), in, manifests, index, blobs)
}

func writeArchiveOf(t *testing.T, out *store.Archive, in store.Layout, manifests []manifest, index *oci.Index, blobs []ocispec.Descriptor) {
	t.Helper()
	for _, m := range manifests {
		if err := out.PutManifest(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.PutIndex(index); err != nil {
		t.Fatal(err)
	}
	for _, b := range blobs {
		if err := out.Begin(b); err != nil {
			t.Fatal(err)
		}
		e := out.Encoder(b, func(p []byte) error { _, err := out.Write(p); return err })
		if _, err := e.Write(contentOf(t, in, b)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(e.Close(), out.End()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := out.Commit(false); err != nil {
		t.Fatal(err)
	}
}

func contentOf(t *testing.T, in store.Layout, b ocispec.Descriptor) []byte {
	t.Helper()
	blob, err := in.Open(b.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	data, err := io.ReadAll(blob)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// threeTrips makes the bundles of three trips: with everything of a registry, after changes to it,
// and after more of them.
func threeTrips(t *testing.T, folder string) (first, second, third string) {
	t.Helper()
	r := testregistry.New(t, testregistry.Options{})
	repos := selections(t, fill(r)...)
	gone := r.Artifact("charts/chart", "gone", "application/vnd.example.gone", testregistry.Random("gone", 500))
	backUp(t, folder+"/1.tgz", repos)
	backUp(t, folder+"/1/", repos)
	moved := r.Image("team/app", "v1", testregistry.Random("a", 3000), testregistry.Random("new", 100_000))
	r.Referrer("team/app", moved, "application/vnd.example.signature", []byte("later"))
	r.Image("team/app", "v2", testregistry.Random("b", 10), testregistry.Random("text", 2))
	r.Remove("charts/chart", gone)
	backUp(t, folder+"/2.tgz", repos)
	backUp(t, folder+"/2/", repos)
	r.Image("team/new", "v3", testregistry.Random("new", 100_000), testregistry.Random("newer", 100))
	repos = append(repos, selections(t, r.Host+"/team/new")...)
	backUp(t, folder+"/3.tgz", repos)
	backUp(t, folder+"/3/", repos)
	return folder + "/1", folder + "/2", folder + "/3"
}

func checkSameFile(t *testing.T, got, want string) {
	t.Helper()
	a, errA := os.ReadFile(got)
	b, errB := os.ReadFile(want)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%s differs from %s: %d bytes, expected %d", filepath.Base(got), filepath.Base(want), len(a), len(b))
	}
}

func checkSameFolder(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			t.Errorf("%s has %d bytes, expected %d", name, len(got[name]), len(data))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is too much", name)
		}
	}
}
