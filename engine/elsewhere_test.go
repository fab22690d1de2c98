package engine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// foreignTypes are those of layers that no registry has to have.
var foreignTypes = []string{
	"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
	"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
	"application/vnd.oci.image.layer.nondistributable.v1.tar",
}

// putForeign puts an image with a layer that has URLs, under the tag v1.
func putForeign(r *testregistry.Registry, repo, mediaType string, there bool) ocispec.Descriptor {
	layer := r.Blob(repo, mediaType, []byte("foreign "+mediaType))
	layer.URLs = []string{"https://elsewhere.example/layer"}
	r.Manifest(repo, "v1", ocispec.MediaTypeImageManifest, ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: r.Blob(repo, ocispec.MediaTypeImageConfig, []byte("{}")), Layers: []ocispec.Descriptor{layer, r.Blob(repo, ocispec.MediaTypeImageLayerGzip, []byte("layer"))}})
	if !there {
		r.Remove(repo, layer)
	}
	return layer
}

// TestAbsentForeignLayerIsANote: it is no failure, for backup, verify, prune or restore,
// and what is there comes along.
func TestAbsentForeignLayerIsANote(t *testing.T) {
	for _, mediaType := range foreignTypes {
		for _, there := range []bool{false, true} {
			for _, out := range outputs {
				source := testregistry.New(t, testregistry.Options{})
				layer := putForeign(source, "app", mediaType, there)
				path := t.TempDir() + "/" + out
				for range 2 {
					heard := new(listener)
					report, err := tryBackup(t, path, selections(t, source.Host+"/app:v1"), engine.BackupOptions{Progress: heard, FailFast: true})
					whole(t, report, err)
					if said := len(heard.notices) == 1 && strings.Contains(heard.notices[0], "non-distributable layer"); said == there {
						t.Errorf("%s, there %v: it says %q", out, there, heard.notices)
					}
					right(t, path)
				}
				if out == "layout/" {
					keepEntry(t, path, source.Host+"/app:v1")
					right(t, path)
				}
				ways := []func(*testing.T, string, string) *engine.Report{restoreTo}
				if out != "layout/" {
					ways = append(ways, restorePipe)
				}
				for _, send := range ways {
					target := testregistry.New(t, testregistry.Options{})
					for range 2 {
						send(t, path, target.Host)
					}
					if target.Has("app", layer) != there || len(target.Tags("app")) != 1 {
						t.Errorf("%s, there %v: the target has it: %v", out, there, !there)
					}
					report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{Verify: true})
					if whole(t, report, err); report.Unchanged != 1 {
						t.Errorf("%s, there %v: sent again", out, there)
					}
				}
			}
		}
	}
}

// TestAbsentLayerIsAFailureUnlessItIsForeign: URLs alone, or the type alone, make none of
// it; nor does another manifest that calls the same layer so.
func TestAbsentLayerIsAFailureUnlessItIsForeign(t *testing.T) {
	for _, order := range [][]string{{"app:v1", "plain:v1"}, {"plain:v1", "app:v1"}} {
		for _, out := range outputs {
			source := testregistry.New(t, testregistry.Options{})
			layer := putForeign(source, "app", foreignTypes[0], false)
			plain := layer
			plain.URLs = nil
			source.Manifest("plain", "v1", ocispec.MediaTypeImageManifest, ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
				Config: source.Blob("plain", ocispec.MediaTypeImageConfig, []byte("{}")), Layers: []ocispec.Descriptor{plain}})
			report, err := tryBackup(t, t.TempDir()+"/"+out, selections(t, source.Host+"/"+order[0], source.Host+"/"+order[1]), engine.BackupOptions{})
			if failures := report.Failures(); err != nil || len(failures) != 1 || failures[0].Reference != source.Host+"/plain:v1" {
				t.Errorf("%s, %v: %v, %v", out, order, err, failures)
			}
		}
	}
}

// TestInlineDataIsUsed: what a descriptor has in itself is not asked for, and comes along
// even where no registry has it, if it has the digest.
func TestInlineDataIsUsed(t *testing.T) {
	for _, out := range outputs {
		source := testregistry.New(t, testregistry.Options{})
		embedded := source.Blob("app", "application/vnd.example.text", []byte("embedded"))
		embedded.Data = []byte("embedded")
		source.Remove("app", embedded)
		wrong := source.Blob("app", "application/vnd.example.text", []byte("the right bytes"))
		wrong.Data = []byte("the wrong bytes")
		child := source.Manifest("app", "", ocispec.MediaTypeImageManifest, map[string]any{"schemaVersion": 2, "layers": []any{embedded, wrong}})
		data, err := json.Marshal(map[string]any{"schemaVersion": 2, "layers": []any{embedded, wrong}})
		if err != nil {
			t.Fatal(err)
		}
		child.Data = data
		source.Remove("app", child)
		source.Manifest("app", "v1", ocispec.MediaTypeImageIndex, map[string]any{"schemaVersion": 2, "manifests": []any{child}})
		path := t.TempDir() + "/" + out
		backUp(t, path, selections(t, source.Host+"/app"))
		right(t, path)
		if n := source.Count("GET manifest") + source.Count("GET blob"); n != 2 {
			t.Errorf("%s: %d requests for a manifest and a blob: %v", out, n, source.URLs())
		}
		target := testregistry.New(t, testregistry.Options{RejectSparse: true})
		restoreTo(t, path, target.Host)
		if !target.Has("app", embedded) || !target.Has("app", child) {
			t.Errorf("%s: the target lacks what was embedded", out)
		}
		if out != "layout/" {
			continue
		}
		if err := os.Remove(filepath.Join(path, "blobs", "sha256", embedded.Digest.Encoded())); err != nil {
			t.Fatal(err)
		}
		right(t, path)
		target = testregistry.New(t, testregistry.Options{RejectSparse: true})
		if restoreTo(t, path, target.Host); !target.Has("app", embedded) {
			t.Error("the target lacks what a descriptor of the layout has in itself")
		}
	}
}
