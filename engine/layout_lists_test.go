package engine_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// layoutWithList is a layout as tools write it that copy a repository tag by tag: it
// has the list of referrers of app:v1 under its fallback tag, and no other trace of
// these. Its entries have full names, or bare tags.
func layoutWithList(t *testing.T, bare bool) (path string, image, signature ocispec.Descriptor) {
	t.Helper()
	source := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	image = source.Image("app", "v1", []byte("layer"))
	signature = source.Referrer("app", image, "application/vnd.example.signature", []byte("signature"))
	signature.ArtifactType = "application/vnd.example.signature"
	putList(source, image, signature)
	path = t.TempDir() + "/layout/"
	sources := selections(t, source.Host+"/app:v1", source.Host+"/app:"+registry.FallbackTag(image.Digest))
	for i := range sources {
		sources[i].Referrers = false
	}
	backUp(t, path, sources)
	if bare {
		file := filepath.Join(path, "index.json")
		text := strings.ReplaceAll(string(read(t, path)), source.Host+"/app:", "")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return path, image, signature
}

// TestListOfALayoutIsMerged: what a layout lists under a fallback tag are referrers,
// pushed as such; the target's own list keeps what it has beside them.
func TestListOfALayoutIsMerged(t *testing.T) {
	for _, bare := range []bool{false, true} {
		path, image, signature := layoutWithList(t, bare)
		for _, api := range []bool{false, true} {
			r := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api})
			theirs := r.Referrer("app", image, "application/vnd.example.theirs", []byte("theirs"))
			if !api {
				putList(r, image, theirs)
			}
			target := r.Host
			if bare {
				target += "/app"
			}
			for _, want := range []int{0, 1} {
				report := restoreTo(t, path, target)
				if len(report.Artifacts) != 1 || report.Referrers != 1 || report.Unchanged < want {
					t.Errorf("%d artifacts, %d referrers, %d unchanged", len(report.Artifacts), report.Referrers, report.Unchanged)
				}
				got := listed(t, r, image)
				if len(got) != 2 || !got[theirs.Digest] || !got[signature.Digest] {
					t.Errorf("listed are %v", got)
				}
			}
			if tags := r.Tags("app"); api && !slices.Equal(tags, []string{"v1"}) {
				t.Errorf("the target has %v", tags)
			}
		}
	}
}

// TestListOfALayoutIsBackedUp: and comes back as the referrers of its subject.
func TestListOfALayoutIsBackedUp(t *testing.T) {
	for _, bare := range []bool{false, true} {
		path, image, signature := layoutWithList(t, bare)
		ref, err := config.ParseReference("example.com/app")
		if err != nil {
			t.Fatal(err)
		}
		again := filepath.Join(t.TempDir(), "bundle.tgz")
		report := backUp(t, again, []config.Selection{{Layout: path, Reference: ref, Referrers: true}})
		if len(report.Artifacts) != 1 || report.Referrers != 1 {
			t.Errorf("%d artifacts, %d referrers", len(report.Artifacts), report.Referrers)
		}
		for _, push := range []func(*testing.T, string, string) *engine.Report{restoreTo, restorePipe} {
			r := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
			push(t, again, r.Host)
			if got := listed(t, r, image); len(got) != 1 || !got[signature.Digest] {
				t.Errorf("listed are %v", got)
			}
		}
	}
}

// TestListOfALayoutIsLeftOut: with --exclude-referrers neither the list nor what it
// names is pushed.
func TestListOfALayoutIsLeftOut(t *testing.T) {
	path, image, signature := layoutWithList(t, true)
	r := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	report, err := tryRestore(t, reopen(t, path), r.Host+"/app", engine.RestoreOptions{ExcludeReferrers: true})
	whole(t, report, err)
	if tags := r.Tags("app"); !slices.Equal(tags, []string{"v1"}) || r.Has("app", signature) || !r.Has("app", image) {
		t.Errorf("the target has %v", tags)
	}
}

// TestListOfALayoutLacksAMember: what a list names and the layout has not is missing,
// and no reason to leave it out without a word.
func TestListOfALayoutLacksAMember(t *testing.T) {
	path, _, signature := layoutWithList(t, true)
	if err := os.Remove(filepath.Join(path, "blobs", "sha256", signature.Digest.Encoded())); err != nil {
		t.Fatal(err)
	}
	in, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	report, _ := tryRestore(t, in, r.Host+"/app", engine.RestoreOptions{})
	if len(report.Failures()) != 1 || !strings.HasSuffix(report.Failures()[0].Reference, "v1") {
		t.Errorf("failed: %v", report.Failures())
	}
}
