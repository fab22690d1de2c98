package engine_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// Manifests wait for their turn in an archive. Those that would take too much memory
// meanwhile are fetched once more, and all of them come along.
func TestManifestsTooLargeToWaitAreFetchedOnceMore(t *testing.T) {
	const images = 3
	r := testregistry.New(t, testregistry.Options{})
	config := r.Blob("large", ocispec.MediaTypeImageConfig, []byte("{}"))
	for i := range images {
		r.Manifest("large", fmt.Sprint("v", i), ocispec.MediaTypeImageManifest, ocispec.Manifest{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config,
			Annotations: map[string]string{"n": fmt.Sprint(i), "padding": strings.Repeat("x", 9<<20)},
		})
	}
	// The first of the archive comes last, so that all others have to wait for it.
	var others sync.WaitGroup
	others.Add(images - 1)
	r.Fault(func(*http.Request, int) testregistry.Fault {
		return func(answer http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				_, tag, ok := strings.Cut(req.URL.Path, "/manifests/v")
				if ok && tag == "0" {
					others.Wait()
				}
				answer.ServeHTTP(w, req)
				if ok && tag != "0" {
					others.Done()
				}
			})
		}
	})
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, r.Host+"/large"))
	if n := r.Count("GET manifest"); n <= images || n > 2*images {
		t.Errorf("%d manifests were asked for", n)
	}
	l, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	v, err := store.Verify(t.Context(), l, verify.Options{})
	if err != nil || len(v.Faults) > 0 || v.Artifacts != images {
		t.Errorf("%+v, %v", v, err)
	}
}
