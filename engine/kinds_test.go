package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
				keepEntry(t, path, source.Host+"/app:v1")
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
		keepEntry(t, path, source.Host+"/app:v1")
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
