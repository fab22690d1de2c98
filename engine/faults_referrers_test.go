package engine_test

import (
	"errors"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// fillSigned puts an index of two images with so many referrers.
func fillSigned(r *testregistry.Registry, n int) (index ocispec.Descriptor, referrers []ocispec.Descriptor) {
	index = r.Index("app", "v1", r.Image("app", "", []byte("one")), r.Image("app", "", []byte("two")))
	for i := range n {
		referrers = append(referrers, r.Referrer("app", index, "application/vnd.example.signature", testregistry.Random(string(rune('a'+i)), 10)))
	}
	return index, referrers
}

// backedUpSigned backs up what fillSigned puts.
func backedUpSigned(t *testing.T, n int) (path string, index ocispec.Descriptor, referrers []ocispec.Descriptor) {
	t.Helper()
	source := testregistry.New(t, testregistry.Options{})
	index, referrers = fillSigned(source, n)
	path = filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, source.Host+"/app"))
	return path, index, referrers
}

// listed returns the digests that the repository app names as referrers.
func listed(t *testing.T, r *testregistry.Registry, subject ocispec.Descriptor) map[digest.Digest]bool {
	t.Helper()
	repo, err := client(0).Repository(r.Host, "app")
	if err != nil {
		t.Fatal(err)
	}
	list, err := repo.Referrers(t.Context(), subject, nil)
	if err != nil {
		t.Fatal(err)
	}
	digests := make(map[digest.Digest]bool)
	for _, desc := range list {
		digests[desc.Digest] = true
	}
	return digests
}

// TestFallbackTagsReadAsDigests: a registry that answers to a fallback tag with the
// subject itself has no list there. As a source its children are no referrers; a
// target that lists nothing that is pushed fails the artifact that has referrers.
func TestFallbackTagsReadAsDigests(t *testing.T) {
	t.Run("source", func(t *testing.T) {
		for _, from := range []string{"app", "app:v1"} {
			r := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
			fillSigned(r, 0)
			r.Fault(testregistry.TagsAsDigests)
			heard := new(listener)
			report, err := tryBackup(t, t.TempDir()+"/layout/", selections(t, r.Host+"/"+from), engine.BackupOptions{Progress: heard})
			whole(t, report, err)
			if report.Expected != 0 || len(heard.notices) > 0 {
				t.Errorf("%s: %d referrers, %q", from, report.Expected, heard.notices)
			}
		}
	})
	t.Run("target", func(t *testing.T) {
		path, index, _ := backedUpSigned(t, 2)
		r := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
		lists := 0
		r.Fault(func(req *http.Request, n int) testregistry.Fault {
			if strings.Contains(req.URL.Path, "/sha256-") && req.Method == http.MethodPut {
				lists++
			}
			return testregistry.TagsAsDigests(req, n)
		})
		report, err := restoreWith(t, newFalseClock().faced(t, 4), path, false, r.Host)
		var unlisted *registry.UnlistedError
		if !errors.Is(err, engine.ErrNothing) || len(report.Failures()) != 1 || !errors.As(report.Failures()[0].Err, &unlisted) {
			t.Fatalf("%v, %v", err, report.Failures())
		}
		if lists == 0 || lists > 10 {
			t.Errorf("the list was put %d times", lists)
		}
		r.Fault(nil)
		if got := listed(t, r, index); len(got) != 2 {
			t.Errorf("the list that was put names %v", got)
		}
	})
}

// TestReferrersLostByTheTarget: a registry with the referrers API that forgets
// entries when several come at once gets these once more.
func TestReferrersLostByTheTarget(t *testing.T) {
	path, index, referrers := backedUpSigned(t, 5)
	r := testregistry.New(t, testregistry.Options{})
	r.Fault(forgets(referrers[1:], 1))
	report, err := restoreWith(t, newFalseClock().faced(t, 4), path, false, r.Host)
	whole(t, report, err)
	if got := listed(t, r, index); len(got) != 5 || report.Referrers != 5 {
		t.Errorf("%d restored, listed are %v", report.Referrers, got)
	}
}

// TestReferrersLostByTheTargetAlways: an artifact whose referrers are not listed in
// the end has failed, and has no tag.
func TestReferrersLostByTheTargetAlways(t *testing.T) {
	path, index, referrers := backedUpSigned(t, 5)
	r := testregistry.New(t, testregistry.Options{})
	r.Fault(forgets(referrers[:1], 1<<30))
	report, err := restoreWith(t, newFalseClock().faced(t, 4), path, false, r.Host)
	var unlisted *registry.UnlistedError
	if !errors.Is(err, engine.ErrNothing) || len(report.Failures()) != 1 || !errors.As(report.Failures()[0].Err, &unlisted) {
		t.Fatalf("%v, %v", err, report.Failures())
	}
	if unlisted.Subject != index.Digest || len(unlisted.Referrers) != 1 || unlisted.Referrers[0] != referrers[0].Digest {
		t.Errorf("it says %v", unlisted)
	}
	if report.Referrers != 0 || len(r.Tags("app")) > 0 {
		t.Errorf("%d referrers restored, the target has %v", report.Referrers, r.Tags("app"))
	}
}

// forgets hides referrers from the lists of the API until each was pushed more than
// so many times.
func forgets(some []ocispec.Descriptor, times int) func(*http.Request, int) testregistry.Fault {
	pushed := make(map[string]int)
	return func(req *http.Request, _ int) testregistry.Fault {
		switch testregistry.Kind(req) {
		case "PUT manifest":
			pushed[path.Base(req.URL.Path)]++
		case "GET referrers":
			var hidden []testregistry.Fault
			for _, desc := range some {
				if pushed[desc.Digest.String()] <= times {
					hidden = append(hidden, testregistry.WithoutReferrer(desc.Digest))
				}
			}
			return func(answer http.Handler) http.Handler {
				for _, hide := range hidden {
					answer = hide(answer)
				}
				return answer
			}
		}
		return nil
	}
}

// TestListOverwrittenByAnother: who puts the same list at the same time, from what
// it was before, takes our entries out, be it at once or a while after. They are
// merged in once more, beside those of the other.
func TestListOverwrittenByAnother(t *testing.T) {
	path, index, referrers := backedUpSigned(t, 3)
	r := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	theirs := r.Referrer("app", index, "application/vnd.example.theirs", []byte("theirs"))
	overwritten := false
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if req.Method != http.MethodPut || !strings.HasSuffix(req.URL.Path, "/"+registry.FallbackTag(index.Digest)) || overwritten {
			return nil
		}
		overwritten = true
		return func(answer http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				answer.ServeHTTP(w, req)
				putList(r, index, theirs)
			})
		}
	})
	clock := newFalseClock()
	clock.woken = func(pauses int) {
		if pauses == 2 {
			putList(r, index, theirs)
		}
	}
	report, err := restoreWith(t, clock.faced(t, 4), path, false, r.Host)
	whole(t, report, err)
	got := listed(t, r, index)
	for _, desc := range append(referrers, theirs) {
		if !got[desc.Digest] {
			t.Errorf("%s is not listed", desc.Digest)
		}
	}
	if pauses := clock.pauses(); len(pauses) != 3 {
		t.Errorf("the list was put after pauses of %v", pauses)
	}
}

// putList puts a list under the fallback tag of a subject.
func putList(r *testregistry.Registry, subject ocispec.Descriptor, referrers ...ocispec.Descriptor) {
	r.Manifest("app", registry.FallbackTag(subject.Digest), ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: referrers,
	})
}
