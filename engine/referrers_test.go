package engine_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// fillBoth puts an image with one referrer that the API of a registry lists, and
// one that only the list under the fallback tag has, from before there was an API.
func fillBoth(r *testregistry.Registry) (image, listed, hidden ocispec.Descriptor) {
	image = r.Image("app", "v1", []byte("layer"))
	listed = r.Referrer("app", image, "application/vnd.example.new", []byte("by the API"))
	hidden = r.Referrer("app", image, "application/vnd.example.old", []byte("by the tag"))
	hidden.ArtifactType = "application/vnd.example.old"
	r.Manifest("app", "sha256-"+image.Digest.Encoded(), ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{hidden},
	})
	r.Fault(testregistry.Always("GET referrers", testregistry.WithoutReferrer(hidden.Digest)))
	return image, listed, hidden
}

// TestReferrersOfBothSchemes: a registry with the API may have older lists under
// tags. Both count, whether the tags are listed or not, and none is lost on the way
// to a registry without the API and on to one with it.
func TestReferrersOfBothSchemes(t *testing.T) {
	for _, source := range []string{"app", "app:v1"} {
		r := testregistry.New(t, testregistry.Options{})
		_, listed, hidden := fillBoth(r)
		path := t.TempDir() + "/bundle.tgz"
		if report := backUp(t, path, selections(t, r.Host+"/"+source)); report.Referrers != 2 || report.Expected != 2 {
			t.Fatalf("%s: %d of %d referrers", source, report.Referrers, report.Expected)
		}
		tags, api := testregistry.New(t, testregistry.Options{NoReferrersAPI: true}), testregistry.New(t, testregistry.Options{})
		restoreTo(t, path, tags.Host)
		again := t.TempDir() + "/layout/"
		if report := backUp(t, again, selections(t, tags.Host+"/"+source)); report.Referrers != 2 {
			t.Errorf("%s: %d referrers come from tags", source, report.Referrers)
		}
		if report := restoreTo(t, again, api.Host+"/mirror"); report.Referrers != 2 || report.Expected != 2 {
			t.Errorf("%s: %d of %d referrers go to the API", source, report.Referrers, report.Expected)
		}
		r.Fault(nil)
		testregistry.CheckSame(t, r, api, "mirror")
		for _, d := range []ocispec.Descriptor{listed, hidden} {
			if !api.Has("mirror/app", d) {
				t.Errorf("%s: %s is lost", source, d.Digest)
			}
		}
	}
}

// TestArtifactTypesOfBothSchemes: the choice of types holds for each way in which a
// referrer is kept.
func TestArtifactTypesOfBothSchemes(t *testing.T) {
	for types, want := range map[string]int{
		"application/vnd.example.new": 1, "application/vnd.example.old": 1, "application/vnd.example.*": 2,
		"application/vnd.oci.image.layer.*": 1, "*": 3, "text/*": 0,
	} {
		r := testregistry.New(t, testregistry.Options{})
		image, _, _ := fillBoth(r)
		r.Image("app", "sha256-"+image.Digest.Encoded()+".sig", []byte("signature"))
		sources := selections(t, r.Host+"/app:v1")
		sources[0].ReferrerTypes = []string{types}
		report := backUp(t, t.TempDir()+"/bundle.tgz", sources)
		if report.Referrers != want || report.Expected != want {
			t.Errorf("%s: %d of %d referrers, want %d", types, report.Referrers, report.Expected, want)
		}
	}
}

// TestReferrersAreCounted: what was to come along and what did.
func TestReferrersAreCounted(t *testing.T) {
	for _, out := range outputs {
		for kind, gone := range map[string]func(r *testregistry.Registry, manifest, blob ocispec.Descriptor){
			"manifest": func(r *testregistry.Registry, manifest, _ ocispec.Descriptor) {
				r.Fault(testregistry.Always("GET manifest", onPath(manifest, testregistry.Status(404, ""))))
			},
			"blob": func(r *testregistry.Registry, _, blob ocispec.Descriptor) { r.Remove("app", blob) },
		} {
			t.Run(out+" "+kind, func(t *testing.T) {
				r := testregistry.New(t, testregistry.Options{})
				image := r.Image("app", "v1", []byte("layer"))
				r.Referrer("app", image, "application/vnd.example.sbom", []byte("sbom"))
				signature := r.Referrer("app", image, "application/vnd.example.signature", []byte("signature"))
				gone(r, signature, r.Blob("app", "application/octet-stream", []byte("signature")))
				report, err := tryBackup(t, t.TempDir()+"/"+out, selections(t, r.Host+"/app:v1"), engine.BackupOptions{})
				if err != nil || len(report.Failures()) != 1 {
					t.Fatalf("%v, %v", err, report.Failures())
				}
				if one := report.Artifacts[0]; one.Expected != 2 || one.Referrers != 1 || report.Expected != 2 || report.Referrers != 1 {
					t.Errorf("%d of %d referrers, in all %d of %d", one.Referrers, one.Expected, report.Referrers, report.Expected)
				}
			})
		}
	}
}

// onPath makes a fault that concerns one digest alone.
func onPath(desc ocispec.Descriptor, fault testregistry.Fault) testregistry.Fault {
	return func(answer http.Handler) http.Handler {
		wrong := fault(answer)
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if strings.HasSuffix(req.URL.Path, desc.Digest.String()) {
				wrong.ServeHTTP(w, req)
				return
			}
			answer.ServeHTTP(w, req)
		})
	}
}

// fillCosigned puts an index that cosign has signed by tags, with each of its images.
func fillCosigned(r *testregistry.Registry) (index ocispec.Descriptor, images []ocispec.Descriptor) {
	for _, architecture := range []string{"amd64", "arm64"} {
		images = append(images, platformed(r.Image("app", "", []byte(architecture)), "linux", architecture))
	}
	index = r.Index("app", "v1", images...)
	for _, of := range append(images, index) {
		r.Image("app", "sha256-"+of.Digest.Encoded()+".sig", []byte("signature of "+of.Digest))
	}
	r.Image("app", "v2", []byte("not signed"))
	return index, images
}

// TestCosignIsCountedAlike: tags of cosign's are no artifacts, on either way.
func TestCosignIsCountedAlike(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillCosigned(r)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	there := backUp(t, path, selections(t, r.Host+"/app"))
	target := testregistry.New(t, testregistry.Options{})
	back := restoreTo(t, path, target.Host+"/mirror")
	testregistry.CheckSame(t, r, target, "mirror")
	for _, report := range []*engine.Report{there, back} {
		if len(report.Artifacts) != 2 || report.Referrers != 3 || report.Expected != 3 {
			t.Errorf("%d artifacts, %d of %d referrers", len(report.Artifacts), report.Referrers, report.Expected)
		}
	}
	if again := restoreTo(t, path, target.Host+"/mirror"); again.Unchanged != 2 || again.Referrers != 3 {
		t.Errorf("%d unchanged, %d referrers", again.Unchanged, again.Referrers)
	}
}

// TestCosignFailure: an artifact whose signature does not arrive has failed, and is
// done again with it.
func TestCosignFailure(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	index, _ := fillCosigned(r)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, r.Host+"/app"))
	target := testregistry.New(t, testregistry.Options{})
	tag := "sha256-" + index.Digest.Encoded() + ".sig"
	target.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if req.Method == http.MethodPut && strings.HasSuffix(req.URL.Path, "/"+tag) {
			return testregistry.Status(403, "")
		}
		return nil
	})
	in := reopen(t, path)
	report, err := tryRestore(t, in, target.Host, engine.RestoreOptions{})
	var lost *engine.ReferrersError
	failures := report.Failures()
	if err != nil || len(failures) != 1 || failures[0].Reference != r.Host+"/app:v1" || !errors.As(failures[0].Err, &lost) {
		t.Fatalf("%v, %v", err, failures)
	}
	if report.Expected != 3 || report.Referrers != 2 {
		t.Errorf("%d of %d referrers", report.Referrers, report.Expected)
	}
	target.Fault(nil)
	report, err = tryRestore(t, in, target.Host, engine.RestoreOptions{Retry: func(reference, target string) bool {
		return reference == failures[0].Reference && target == failures[0].Target
	}})
	whole(t, report, err)
	if len(report.Artifacts) != 1 || report.Referrers != 3 || !slices.Contains(target.Tags("app"), tag) {
		t.Errorf("%d artifacts and %d referrers: %v", len(report.Artifacts), report.Referrers, target.Tags("app"))
	}
}

// TestOnlyTakesSignaturesOfImages: what --only picks has with it what cosign attached
// to its images.
func TestOnlyTakesSignaturesOfImages(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillCosigned(r)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, r.Host+"/app"))
	for only, want := range map[string]int{"app:v1": 4, "app:v2": 1} {
		target := testregistry.New(t, testregistry.Options{})
		report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{Only: []string{only}})
		whole(t, report, err)
		if got := target.Tags("app"); len(got) != want {
			t.Errorf("%s: the target has %v", only, got)
		}
	}
}

// TestRewrittenLeavesSignatureTags: a signature of an index that is rewritten would
// be one of nothing.
func TestRewrittenLeavesSignatureTags(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	_, images := fillCosigned(r)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, only(t, selections(t, r.Host+"/app:v1"), "linux/amd64"))
	target := testregistry.New(t, testregistry.Options{RejectSparse: true})
	heard := new(listener)
	for range 2 {
		report, err := restore.Run(t.Context(), client(0), reopen(t, path), engine.RestoreOptions{Progress: heard,
			Targets: []config.Target{{Registry: target.Host, PlatformMode: config.PlatformsRewrite}}})
		whole(t, report, err)
		if len(report.Artifacts) != 1 || report.Referrers != 1 || report.Expected != 1 {
			t.Errorf("%d artifacts, %d of %d referrers", len(report.Artifacts), report.Referrers, report.Expected)
		}
	}
	if got, want := target.Tags("app"), []string{"sha256-" + images[0].Digest.Encoded() + ".sig", "v1"}; !slices.Equal(got, want) {
		t.Errorf("the target has %v, want %v", got, want)
	}
	if !slices.ContainsFunc(heard.notices, func(n string) bool {
		return strings.HasPrefix(n, "skipped with the rewritten indexes: 1 cosign tag")
	}) {
		t.Errorf("it says %q", heard.notices)
	}
}
