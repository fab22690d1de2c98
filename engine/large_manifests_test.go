package engine_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// Manifests wait for their turn in an archive. Those that would take too much memory
// meanwhile are fetched once more, and all of them come along.
func TestManifestsTooLargeToWaitAreFetchedOnceMore(t *testing.T) {
	const images = 6
	r := testregistry.New(t, testregistry.Options{})
	config := r.Blob("large", ocispec.MediaTypeImageConfig, []byte("{}"))
	for i := range images {
		r.Manifest("large", fmt.Sprint("v", i), ocispec.MediaTypeImageManifest, ocispec.Manifest{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config,
			Annotations: map[string]string{"n": fmt.Sprint(i), "padding": strings.Repeat("x", 7<<20)},
		})
	}
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backup(t, path, selections(t, r.Host+"/large"))
	if n := r.Count("GET manifest"); n <= images || n > 2*images {
		t.Errorf("%d manifests were asked for", n)
	}
	l, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	v, err := store.Verify(t.Context(), l, store.VerifyOptions{})
	if err != nil || len(v.Faults) > 0 || v.Artifacts != images {
		t.Errorf("%+v, %v", v, err)
	}
}
