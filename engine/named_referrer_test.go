package engine_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// fillNamedReferrer puts an image and an SBOM of it that has a tag of its own. A
// registry without the API lists it, or not.
func fillNamedReferrer(r *testregistry.Registry, list bool) (image, sbom ocispec.Descriptor) {
	image = r.Image("app", "v1", []byte("layer"))
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: "application/vnd.example.sbom",
		Config:  r.Blob("app", "application/vnd.oci.empty.v1+json", []byte("{}")),
		Layers:  []ocispec.Descriptor{r.Blob("app", "application/json", testregistry.Random("sbom", 5000))},
		Subject: &ocispec.Descriptor{MediaType: image.MediaType, Digest: image.Digest, Size: image.Size},
	}
	sbom = r.Manifest("app", "sbom-v1", m.MediaType, m)
	if list {
		putList(r, image, sbom)
	}
	return image, sbom
}

// TestNamedReferrerIsListedUnderItsSubject: a manifest with a subject that comes by a
// tag of its own is listed by a registry without the API like any other, and again if
// it is found not to be.
func TestNamedReferrerIsListedUnderItsSubject(t *testing.T) {
	for _, list := range []bool{false, true} {
		source := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
		image, sbom := fillNamedReferrer(source, list)
		path := filepath.Join(t.TempDir(), "bundle.tgz")
		backUp(t, path, selections(t, source.Host+"/app"))
		for _, api := range []bool{false, true} {
			r := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api})
			restoreTo(t, path, r.Host)
			if got := listed(t, r, image); len(got) != 1 || !got[sbom.Digest] {
				t.Errorf("listed are %v", got)
			}
			if report := restoreTo(t, path, r.Host); report.Unchanged != 2 {
				t.Errorf("%d unchanged", report.Unchanged)
			}
			if api {
				continue
			}
			putList(r, image)
			restoreTo(t, path, r.Host)
			if got := listed(t, r, image); len(got) != 1 {
				t.Errorf("once it was lost, listed are %v", got)
			}
			if report := restoreTo(t, path, r.Host); report.Unchanged != 2 {
				t.Errorf("then %d are unchanged", report.Unchanged)
			}
		}
	}
}

// TestNamedReferrerAloneIsListed: its subject is in the target already.
func TestNamedReferrerAloneIsListed(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	image, sbom := fillNamedReferrer(source, false)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, source.Host+"/app:sbom-v1"))
	r := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	r.Image("app", "v1", []byte("layer"))
	theirs := r.Referrer("app", image, "application/vnd.example.theirs", []byte("theirs"))
	putList(r, image, theirs)
	report, err := tryRestore(t, reopen(t, path), r.Host, engine.RestoreOptions{Verify: true})
	whole(t, report, err)
	if got := listed(t, r, image); len(got) != 2 || !got[sbom.Digest] || !got[theirs.Digest] {
		t.Errorf("listed are %v", got)
	}
	if tags := r.Tags("app"); !slices.Equal(tags, []string{"sbom-v1", registry.FallbackTag(image.Digest), "v1"}) {
		t.Errorf("the target has %v", tags)
	}
}

// TestNamedReferrerFollowsItsSubject: a registry that takes no manifest whose subject
// is absent gets the subject first, in whatever order the input has the two.
func TestNamedReferrerFollowsItsSubject(t *testing.T) {
	for _, from := range [][]string{{"app:sbom-v1", "app:v1"}, {"app:v1", "app:sbom-v1"}, {"app"}} {
		source := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
		image, _ := fillNamedReferrer(source, false)
		var references []string
		for _, name := range from {
			references = append(references, source.Host+"/"+name)
		}
		path := filepath.Join(t.TempDir(), "bundle.tgz")
		backUp(t, path, selections(t, references...))
		for _, api := range []bool{false, true} {
			for _, concurrency := range []int{1, 8} {
				r := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api, RequireSubject: true, RejectSparse: true})
				report, err := tryRestore(t, reopen(t, path), r.Host, engine.RestoreOptions{Concurrency: concurrency})
				whole(t, report, err)
				if got := listed(t, r, image); len(got) != 1 {
					t.Errorf("listed are %v", got)
				}
			}
		}
	}
}
