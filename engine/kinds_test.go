package engine_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// wrongTypes are media types that registries and indexes have been seen to give a manifest.
var wrongTypes = []string{
	ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, testregistry.MediaTypeDockerManifest, testregistry.MediaTypeDockerList,
	testregistry.MediaTypeArtifactManifest, "application/json", "application/octet-stream", "text/plain", "", "nonsense",
	"Application/Vnd.OCI.Image.Manifest.V1+JSON", ocispec.MediaTypeImageIndex + "; charset=utf-8", ocispec.MediaTypeImageLayerGzip,
}

// called is a descriptor under another media type.
func called(d ocispec.Descriptor, mediaType string) ocispec.Descriptor {
	d.MediaType = mediaType
	return d
}

// right fails the test unless a layout is.
func right(t *testing.T, path string) {
	t.Helper()
	v, err := store.Verify(t.Context(), reopen(t, path), verify.Options{})
	if err != nil || len(v.Faults) > 0 {
		t.Fatalf("verify: %v, %v", err, v)
	}
}

// TestChildOfAWrongMediaTypeComesAlong: whatever an index calls its children, they
// come with all that they need, and go out under their own types.
func TestChildOfAWrongMediaTypeComesAlong(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	for i, wrong := range wrongTypes {
		tag := fmt.Sprintf("v%d", i)
		image := source.Image("app", "", []byte("image "+tag))
		inner := source.DockerList("app", "", source.DockerImage("app", "", []byte("inner "+tag)))
		source.Index("app", tag, called(image, wrong), called(inner, wrong))
	}
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			path := t.TempDir() + "/" + out
			backUp(t, path, selections(t, source.Host+"/app"))
			right(t, path)
			ways := map[string]func(*testing.T, string, string) *engine.Report{"file": restoreTo}
			if out != "layout/" {
				ways["pipe"] = restorePipe
			}
			for _, send := range ways {
				target := testregistry.New(t, testregistry.Options{RejectSparse: true})
				send(t, path, target.Host+"/mirror")
				testregistry.CheckSame(t, source, target, "mirror")
			}
		})
	}
}

// TestRootOfAWrongMediaTypeComesAlong: the header of a root that does not say what it
// is may be wrong, too.
func TestRootOfAWrongMediaTypeComesAlong(t *testing.T) {
	for i, wrong := range wrongTypes {
		source := testregistry.New(t, testregistry.Options{})
		image := source.Image("app", "", []byte("image"))
		data, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []ocispec.Descriptor{image}})
		if err != nil {
			t.Fatal(err)
		}
		index := source.Manifest("app", "v1", ocispec.MediaTypeImageIndex, data)
		source.PutManifest("app", "v1", called(index, wrong), data)
		path := t.TempDir() + "/" + outputs[i%len(outputs)]
		backUp(t, path, selections(t, source.Host+"/app:v1"))
		right(t, path)
		target := testregistry.New(t, testregistry.Options{RejectSparse: true})
		restoreTo(t, path, target.Host)
		snapshot, err := testregistry.Snapshot(t.Context(), target.Access())
		if err != nil {
			t.Fatal(err)
		}
		got := snapshot["app:v1"].Graph["manifest "+index.Digest.String()]
		if want := (&oci.Manifest{MediaType: got}).MediaType; !oci.IsIndex(got) || want == "" || len(snapshot["app:v1"].Graph) != 4 {
			t.Errorf("%q: pushed as %q, with %v", wrong, got, snapshot["app:v1"].Graph)
		}
	}
}

// TestWrongMediaTypeHurtsNoOtherArtifact: what one repository calls an image costs the
// other, which has the same image, nothing, in a backup, by prune, or in a restore.
func TestWrongMediaTypeHurtsNoOtherArtifact(t *testing.T) {
	for i, wrong := range wrongTypes {
		for _, order := range [][]string{{"liar:v1", "app:v1"}, {"app:v1", "liar:v1"}} {
			source := testregistry.New(t, testregistry.Options{})
			image := source.Image("app", "v1", []byte("image"))
			source.Image("liar", "", []byte("image"))
			source.Index("liar", "v1", called(image, wrong))
			out := outputs[i%len(outputs)]
			path := t.TempDir() + "/" + out
			backUp(t, path, selections(t, source.Host+"/"+order[0], source.Host+"/"+order[1]))
			if out == "layout/" {
				prune(t, path, source.Host+"/app:v1")
			}
			right(t, path)
			target := testregistry.New(t, testregistry.Options{RejectSparse: true})
			report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{Only: []string{"app:v1"}})
			whole(t, report, err)
			source.Remove("liar", ocispec.Descriptor{Digest: image.Digest})
			got, err := testregistry.Snapshot(t.Context(), target.Access())
			if err != nil {
				t.Fatal(err)
			}
			if len(got["app:v1"].Graph) != 3 {
				t.Errorf("%q, %v: the target has %v", wrong, order, got)
			}
		}
	}
}

// prune leaves one entry of a layout.
func prune(t *testing.T, path, name string) {
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
				prune(t, path, source.Host+"/app:cache")
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

// TestLayoutThatCallsItsRootsWrongly: what index.json says of an entry is no better than
// what a registry says.
func TestLayoutThatCallsItsRootsWrongly(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	image := source.Image("app", "", []byte("image"))
	source.Index("app", "v1", image)
	source.Image("app", "sha256-"+image.Digest.Encoded()+".sig", []byte("signature"))
	for _, wrong := range wrongTypes {
		path := t.TempDir() + "/layout/"
		backUp(t, path, selections(t, source.Host+"/app"))
		data, err := os.ReadFile(path + "index.json")
		if err != nil {
			t.Fatal(err)
		}
		head, entries, _ := strings.Cut(string(data), `"manifests":`)
		for _, mediaType := range []string{ocispec.MediaTypeImageIndex, ocispec.MediaTypeImageManifest} {
			entries = strings.ReplaceAll(entries, `"mediaType":"`+mediaType+`"`, `"mediaType":"`+wrong+`"`)
		}
		if err := os.WriteFile(path+"index.json", []byte(head+`"manifests":`+entries), 0o644); err != nil {
			t.Fatal(err)
		}
		right(t, path)
		copied := t.TempDir() + "/bundle.tgz"
		backUp(t, copied, []config.Selection{{Layout: path, Referrers: true}})
		for _, from := range []string{path, copied} {
			target := testregistry.New(t, testregistry.Options{RejectSparse: true})
			report, err := tryRestore(t, reopen(t, from), target.Host+"/mirror", engine.RestoreOptions{Only: []string{"app:v1"}})
			whole(t, report, err)
			testregistry.CheckSame(t, source, target, "mirror")
		}
		prune(t, path, source.Host+"/app:v1")
		right(t, path)
	}
}

// fillKinds puts one of all that is no ordinary image into a repository.
func fillKinds(r *testregistry.Registry) {
	fillCache(r, "app")
	fillSubjects(r)
	putForeign(r, "app", foreignTypes[0], true)
	putForeign(r, "gone", foreignTypes[1], false)
	r.Index("app", "multi", called(r.Image("app", "", []byte("one")), "application/json"),
		r.Blob("app", "application/vnd.example.unknown", []byte(`{"some":"thing"}`)))
}

// TestForecastOfUnusualGraphs: a plan is what the run does, whatever there is.
func TestForecastOfUnusualGraphs(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	fillKinds(source)
	sources := selections(t, source.Host+"/app", source.Host+"/gone")
	for _, out := range outputs {
		path := t.TempDir() + "/" + out
		for range 2 {
			there := reopen(t, path)
			f, err := backup.Forecast(t.Context(), client(0), sources, backup.Output{There: there, Directory: out == "layout/"}, engine.BackupOptions{})
			if err != nil {
				t.Fatal(err)
			}
			source.ResetCounts()
			report, err := tryBackup(t, path, sources, engine.BackupOptions{Previous: there})
			if whole(t, report, err); total(source) != f.Requests || report.Moved != f.Transfer {
				t.Errorf("%s: %d requests and %d bytes, the forecast said %d and %d: %v", out, total(source), report.Moved, f.Requests, f.Transfer, source.URLs())
			}
		}
		to := []config.Target{{Registry: target.Host, Namespace: "mirror" + strings.Trim(out, "/.")}}
		for range 2 {
			o := engine.RestoreOptions{Targets: to}
			f, err := restore.Forecast(t.Context(), client(0), reopen(t, path), o)
			if err != nil {
				t.Fatal(err)
			}
			target.ResetCounts()
			report, err := restore.Run(t.Context(), client(0), reopen(t, path), o)
			if whole(t, report, err); total(target) != f.Requests || report.Moved != f.Transfer {
				t.Errorf("%s: %d requests and %d bytes, the forecast said %d and %d: %v", out, total(target), report.Moved, f.Requests, f.Transfer, target.URLs())
			}
		}
	}
}

// TestManifestThatIsABlobAloneComesAlong: an index calls it a manifest, its bytes are one,
// and the registry has it among the blobs.
func TestManifestThatIsABlobAloneComesAlong(t *testing.T) {
	for _, mediaType := range []string{ocispec.MediaTypeImageManifest, "application/json", ""} {
		for _, out := range outputs {
			source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{RejectSparse: true})
			layer := source.Blob("app", ocispec.MediaTypeImageLayerGzip, []byte("layer"))
			data, err := json.Marshal(map[string]any{"schemaVersion": 2, "layers": []any{layer}})
			if err != nil {
				t.Fatal(err)
			}
			child := source.Blob("app", mediaType, data)
			source.Index("app", "v1", child)
			path := t.TempDir() + "/" + out
			backUp(t, path, selections(t, source.Host+"/app"))
			right(t, path)
			if restoreTo(t, path, target.Host); !target.Has("app", layer) || !target.Has("app", child) {
				t.Errorf("%q, %s: the target lacks some of it", mediaType, out)
			}
			if out != "layout/" {
				continue
			}
			if err := os.Remove(filepath.Join(path, "blobs", "sha256", layer.Digest.Encoded())); err != nil {
				t.Fatal(err)
			}
			if v, err := store.Verify(t.Context(), reopen(t, path), verify.Options{}); err != nil || len(v.Faults) != 1 {
				t.Errorf("%q: a layer is gone: %v, %v", mediaType, v.Faults, err)
			}
		}
	}
}
