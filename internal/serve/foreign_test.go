package serve

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/serve/content"
)

// foreign writes a layout of another tool: bare tags, and a list of referrers under a tag.
func (w *world) foreign(name string) (image, sbom ocispec.Descriptor) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Join(w.path(name), "blobs", "sha256"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	put := func(mediaType string, document any) ocispec.Descriptor {
		data, err := json.Marshal(document)
		d := digest.FromBytes(data)
		if err == nil {
			err = os.WriteFile(filepath.Join(w.path(name), "blobs", "sha256", d.Encoded()), data, 0o600)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
	}
	manifest := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: put(ocispec.MediaTypeEmptyJSON, struct{}{}), Layers: []ocispec.Descriptor{}}
	manifest.SchemaVersion = 2
	image = put(ocispec.MediaTypeImageManifest, manifest)
	manifest.ArtifactType, manifest.Subject = "application/vnd.example.sbom", &image
	sbom = put(ocispec.MediaTypeImageManifest, manifest)
	list := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{sbom}}
	list.SchemaVersion = 2
	named := func(desc ocispec.Descriptor, tag string) ocispec.Descriptor {
		desc.Annotations = map[string]string{ocispec.AnnotationRefName: tag}
		return desc
	}
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{named(image, "v1"),
		named(put(ocispec.MediaTypeImageIndex, list), strings.Replace(image.Digest.String(), ":", "-", 1))}}
	index.SchemaVersion = 2
	for file, document := range map[string]any{"oci-layout": ocispec.ImageLayout{Version: "1.0.0"}, "index.json": index} {
		data, err := json.Marshal(document)
		if err == nil {
			err = os.WriteFile(filepath.Join(w.path(name), file), data, 0o600)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return image, sbom
}

// TestLayoutOfAnotherTool: its tags get a repository, and its list of referrers is both a tag
// and an answer of the referrers API.
func TestLayoutOfAnotherTool(t *testing.T) {
	w := newWorld(t)
	image, sbom := w.foreign("foreign")
	if _, err := content.Open(t.Context(), content.Options{Inputs: places(t, w.path("foreign"))}); err == nil || !strings.Contains(err.Error(), "no artifact has a repository in its name") {
		t.Error(err)
	}
	for _, repository := range []config.Reference{{Repository: "team/app"}, {Registry: "one.example", Repository: "team/app"}} {
		s := w.serveWith(content.Options{Repository: repository}, "foreign")
		list := strings.Replace(image.Digest.String(), ":", "-", 1)
		if got := strings.Join(s.get("/v2/team/app/tags/list").list(t, "tags"), " "); got != list+" v1" {
			t.Error(got)
		}
		if a := s.get("/v2/team/app/manifests/" + list); !strings.Contains(a.body, sbom.Digest.String()) {
			t.Error(a)
		}
		if a := s.get("/v2/team/app/referrers/" + image.Digest.String()); !strings.Contains(a.body, sbom.Digest.String()) || !strings.Contains(a.body, "example.sbom") {
			t.Error(a)
		}
		if a := s.get("/v2/one.example/team/app/manifests/v1"); (a.status == 200) != (repository.Registry != "") {
			t.Error(a)
		}
	}
	// Beside an input with names, what has none is passed over.
	w.backup("bundle.tgz", "one.example", hub("team/app", "v1", "app"))
	s := w.serve("bundle.tgz", "foreign")
	if said := s.saidAll(); said != "2 artifacts without a repository in the name: not served" {
		t.Error(said)
	}
}
