package engine_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// keepEntry leaves one entry of a layout.
func keepEntry(t *testing.T, path, name string) {
	t.Helper()
	dir, err := store.OpenLayoutDir(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = dir.Prune(t.Context(), store.PruneOptions{Keep: func(n string) bool { return n == name }})
	if e := dir.Close(); err != nil || e != nil {
		t.Fatal(err, e)
	}
}

// fillCache puts what "docker buildx build --cache-to type=registry" writes: an index
// whose children are layers and a config of the cache.
func fillCache(r *testregistry.Registry, repo string) {
	one := r.Blob(repo, ocispec.MediaTypeImageLayerGzip, []byte("\x1f\x8b layer one"))
	two := r.Blob(repo, ocispec.MediaTypeImageLayerGzip, []byte("\x1f\x8b layer two"))
	text := fmt.Sprintf(`{"layers":[{"blob":%q,"parent":-1},{"blob":%q,"parent":0}],"records":[{"digest":%q}]}`, one.Digest, two.Digest, one.Digest)
	config := r.Blob(repo, "application/vnd.buildkit.cacheconfig.v0", []byte(text))
	r.Manifest(repo, "cache", ocispec.MediaTypeImageIndex, map[string]any{"schemaVersion": 2,
		"mediaType": ocispec.MediaTypeImageIndex, "manifests": []ocispec.Descriptor{one, two, config}})
}

// TestCacheOfBuildKitComesAlong: the children of an index may be blobs.
func TestCacheOfBuildKitComesAlong(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillCache(source, "app")
	source.Image("app", "v1", []byte("\x1f\x8b layer one"))
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			path := t.TempDir() + "/" + out
			for range 2 {
				backUp(t, path, selections(t, source.Host+"/app"))
				right(t, path)
			}
			if out == "layout/" {
				keepEntry(t, path, source.Host+"/app:cache")
				right(t, path)
				backUp(t, path, selections(t, source.Host+"/app"))
			}
			target := testregistry.New(t, testregistry.Options{RejectSparse: true})
			restoreTo(t, path, target.Host+"/mirror")
			testregistry.CheckSame(t, source, target, "mirror")
			if again := restoreTo(t, path, target.Host+"/mirror"); again.Unchanged != 2 {
				t.Errorf("%d unchanged", again.Unchanged)
			}
			if out != "layout/" {
				piped := testregistry.New(t, testregistry.Options{RejectSparse: true})
				restorePipe(t, path, piped.Host+"/mirror")
				testregistry.CheckSame(t, source, piped, "mirror")
			}
		})
	}
}

// TestMissingChildFailsItsArtifact: neither as a manifest nor as a blob.
func TestMissingChildFailsItsArtifact(t *testing.T) {
	for _, out := range outputs {
		for _, mediaType := range []string{ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageLayerGzip, "application/vnd.example.unknown", ""} {
			source := testregistry.New(t, testregistry.Options{})
			fillCache(source, "app")
			lost := source.Blob("app", mediaType, []byte("lost"))
			source.Index("app", "broken", lost)
			source.Remove("app", lost)
			report, err := tryBackup(t, t.TempDir()+"/"+out, selections(t, source.Host+"/app"), engine.BackupOptions{})
			failures := report.Failures()
			if err != nil || len(failures) != 1 || !strings.HasSuffix(failures[0].Reference, ":broken") || !strings.Contains(failures[0].Err.Error(), lost.Digest.String()) {
				t.Errorf("%s, %q: %v, %v", out, mediaType, err, failures)
			}
		}
	}
}

// TestUndecidableChildComesAlong: what is no manifest by its bytes is had wherever the
// registry has it.
func TestUndecidableChildComesAlong(t *testing.T) {
	for name, put := range map[string]func(r *testregistry.Registry, mediaType string, data []byte) ocispec.Descriptor{
		"blob": func(r *testregistry.Registry, mediaType string, data []byte) ocispec.Descriptor {
			return r.Blob("app", mediaType, data)
		},
		"manifest": func(r *testregistry.Registry, mediaType string, data []byte) ocispec.Descriptor {
			return r.Manifest("app", "", mediaType, data)
		},
	} {
		for _, text := range []string{`{"some":"thing"}`, `{"schemaVersion":2,"mediaType":"application/vnd.example.unknown"}`, "text", "", "  {"} {
			for _, out := range outputs {
				source := testregistry.New(t, testregistry.Options{})
				child := put(source, "application/vnd.example.unknown", []byte(text))
				source.Index("app", "v1", child, source.Image("app", "", []byte("image")))
				path := t.TempDir() + "/" + out
				backUp(t, path, selections(t, source.Host+"/app:v1"))
				right(t, path)
				if size, err := reopen(t, path).Stat(child.Digest); err != nil || size != child.Size {
					t.Errorf("%s %q in %s: %d, %v", name, text, out, size, err)
				}
				target := testregistry.New(t, testregistry.Options{RejectSparse: true})
				restoreTo(t, path, target.Host)
				resp, err := target.Client().Head(target.URL + "/v2/app/manifests/" + child.Digest.String())
				if err != nil || name == "manifest" && text != "" && resp.StatusCode != http.StatusOK {
					t.Errorf("%s %q in %s: %v, %v", name, text, out, resp, err)
				}
			}
		}
	}
}

// TestUnknownTypeIsANote: a notice says that the content of an unknown manifest is not copied.
func TestUnknownTypeIsANote(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	source.Manifest("app", "v1", "application/vnd.example.unknown+json", map[string]any{"parts": []string{"a"}})
	source.Image("app", "v2", []byte("image"))
	said := func(heard *listener) bool {
		return len(heard.notices) == 1 && strings.HasPrefix(heard.notices[0], source.Host+"/app:v1 has the unknown media type")
	}
	heard := new(listener)
	path := t.TempDir() + "/layout/"
	report, err := tryBackup(t, path, selections(t, source.Host+"/app"), engine.BackupOptions{Progress: heard})
	if whole(t, report, err); !said(heard) {
		t.Errorf("backup says %q", heard.notices)
	}
	heard = new(listener)
	report, err = tryRestore(t, reopen(t, path), target.Host+"/mirror", engine.RestoreOptions{Progress: heard})
	if whole(t, report, err); !said(heard) {
		t.Errorf("restore says %q", heard.notices)
	}
	testregistry.CheckSame(t, source, target, "mirror")
}

// TestChildrenAreAskedForOnce: a manifest costs one request, whatever it is called,
// and a blob no more than it has to.
func TestChildrenAreAskedForOnce(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillCache(source, "app")
	source.Index("app", "v1", source.Image("app", "", []byte("one")), source.Image("app", "", []byte("two")))
	backUp(t, t.TempDir()+"/layout/", selections(t, source.Host+"/app"))
	twice := func(line string, n int) bool { return n > 1 && strings.HasPrefix(line, http.MethodGet) }
	for line, n := range source.URLs() {
		if twice(line, n) {
			t.Errorf("%d times %s", n, line)
		}
	}
	if n := source.Count("HEAD blob"); n != 3 {
		t.Errorf("%d HEAD for three blobs", n)
	}
	if !slices.Contains(source.Tags("app"), "cache") {
		t.Error("no cache")
	}
}
