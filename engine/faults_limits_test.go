package engine_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// limited backs up a repository of which one artifact goes beyond a limit: that
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
		var limit *engine.LimitError
		fails := report.Failures()
		if len(fails) != 1 || !strings.HasSuffix(fails[0].Reference, ":bad") || !errors.As(fails[0].Err, &limit) {
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
