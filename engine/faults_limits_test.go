package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// limited backs up a repository with one artifact that exceeds a limit: that
// one fails, and says which limit it is.
func limited(t *testing.T, fill func(r *testregistry.Registry)) {
	t.Helper()
	for _, out := range outputs {
		r := testregistry.New(t, testregistry.Options{})
		r.Image("app", "good", []byte("good"))
		fill(r)
		path := t.TempDir() + "/" + out
		report, err := backupWith(t, newFalseClock().faced(t, 8), path, selections(t, r.Host+"/app"), tight)
		if err != nil {
			t.Fatal(err)
		}
		var beyond *bounds.Error
		fails := report.Failures()
		if len(fails) != 1 || !strings.HasSuffix(fails[0].Reference, ":bad") || !errors.As(fails[0].Err, &beyond) {
			t.Errorf("%s: failed: %v", out, fails)
		}
		if got := entries(t, path); !slices.Equal(got, []string{"app:good"}) {
			t.Errorf("%s: the output has %v", out, got)
		}
	}
}

func TestIndexTooDeep(t *testing.T) {
	limited(t, func(r *testregistry.Registry) {
		at := r.Image("app", "", []byte("bottom"))
		for range 40 {
			at = r.Index("app", "", at)
		}
		r.Index("app", "bad", at)
	})
}

func TestIndexTooBroad(t *testing.T) {
	limited(t, func(r *testregistry.Registry) {
		child := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("x"), Size: 9}
		r.Manifest("app", "bad", ocispec.MediaTypeImageIndex, map[string]any{
			"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageIndex, "manifests": slices.Repeat([]ocispec.Descriptor{child}, 10_001),
		})
		r.Fault(func(req *http.Request, _ int) testregistry.Fault {
			if strings.HasSuffix(req.URL.Path, child.Digest.String()) {
				t.Error("a child of it was asked for")
			}
			return nil
		})
	})
}

// carries backs up a repository into every kind of output, restores it twice, and
// compares.
func carries(t *testing.T, fill func(r *testregistry.Registry)) {
	t.Helper()
	for i, out := range outputs {
		o := testregistry.Options{NoReferrersAPI: i == 1, RejectSparse: true, RequireSubject: true}
		source, target := testregistry.New(t, o), testregistry.New(t, o)
		fill(source)
		path := t.TempDir() + "/" + out
		report, err := backupWith(t, newFalseClock().faced(t, 8), path, selections(t, source.Host+"/app"), tight)
		whole(t, report, err)
		entries(t, path)
		for range 2 {
			report, err = restoreWith(t, newFalseClock().faced(t, 8), path, false, target.Host+"/mirror")
			whole(t, report, err)
		}
		testregistry.CheckSame(t, source, target, "mirror")
	}
}

// TestIndexesThatRepeat has thirty indexes, each with the one below it twice:
// there are a thousand million ways down, and each manifest is met once.
func TestIndexesThatRepeat(t *testing.T) {
	carries(t, func(r *testregistry.Registry) {
		at := r.Image("app", "", []byte("bottom"))
		for i := range 30 {
			r.Referrer("app", at, "application/vnd.example.sbom", []byte(fmt.Sprint("sbom", i)))
			at = r.Index("app", "", at, at)
		}
		r.Index("app", "deep", at, at)
	})
}

// TestGraphsInACircle: an index may hold what it refers to, and what cosign
// attaches to a manifest by a tag may be that manifest, or one to which that is
// attached in its turn.
func TestGraphsInACircle(t *testing.T) {
	circle := func(r *testregistry.Registry, repo, tag string, subject ocispec.Descriptor, children ...ocispec.Descriptor) ocispec.Descriptor {
		return r.Manifest(repo, tag, ocispec.MediaTypeImageIndex, ocispec.Index{MediaType: ocispec.MediaTypeImageIndex,
			Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: children, Subject: &subject})
	}
	cosign := func(d ocispec.Descriptor) string { return registry.FallbackTag(d.Digest) + ".sig" }
	carries(t, func(r *testregistry.Registry) {
		one, two := r.Image("app", "one", []byte("one")), r.Image("app", "two", []byte("two"))
		circle(r, "app", "", one, one, two)
		index := r.Index("app", "index", one, two)
		circle(r, "app", "circle", one, index)
		a, b := r.Image("app", "a", []byte("a")), r.Image("app", "b", []byte("b"))
		r.Image("app", cosign(a), []byte("b"))
		r.Image("app", cosign(b), []byte("a"))
		r.Image("app", cosign(r.Image("app", "itself", []byte("itself"))), []byte("itself"))
	})
}

// TestCatalogThatLies: it names repositories that do not exist, that cannot
// exist, and one three times, on pages that lead round in a circle or not.
func TestCatalogThatLies(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("real", "v1", []byte("layer"))
	circle := false
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) != "GET catalog" {
			return nil
		}
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if circle {
					w.Header().Set("Link", `</v2/_catalog?n=1000>; rel="next"`)
				}
				json.NewEncoder(w).Encode(map[string]any{"repositories": []string{
					"real", "absent", "../../etc", "UPPER", "real", "", "real/../real", "real"}})
			})
		}
	})
	for _, out := range outputs {
		path := t.TempDir() + "/" + out
		sources := []config.Selection{{Registry: r.Host, Referrers: true}}
		circle = false
		report, err := backupWith(t, newFalseClock().faced(t, 4), path, sources, tight)
		if err != nil {
			t.Fatal(err)
		}
		if got := entries(t, path); !slices.Equal(got, []string{"real:v1"}) {
			t.Errorf("%s: the output has %v", out, got)
		}
		if got := failed(report); len(got) != 5 {
			t.Errorf("%s: failed: %v", out, got)
		}
		circle = true
		if _, err := backupWith(t, newFalseClock().faced(t, 4), path, sources, tight); !errors.Is(err, engine.ErrNothing) {
			t.Errorf("%s: of a catalog without an end: %v", out, err)
		}
	}
	for _, request := range r.Requests() {
		if strings.Contains(request, "etc") || strings.Contains(request, "UPPER") {
			t.Errorf("asked: %s", request)
		}
	}
}
