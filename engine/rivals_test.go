package engine_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// fillLiars puts an image, and others that say other sizes of its layer.
func fillLiars(r *testregistry.Registry, sizes ...int64) (names []string) {
	config := r.Blob("good", ocispec.MediaTypeImageConfig, []byte("{}"))
	layer := r.Blob("good", ocispec.MediaTypeImageLayerGzip, testregistry.Random("layer", 300_000))
	put := func(repo string, layers ...ocispec.Descriptor) {
		r.Blob(repo, ocispec.MediaTypeImageConfig, []byte("{}"))
		r.Blob(repo, ocispec.MediaTypeImageLayerGzip, testregistry.Random("layer", 300_000))
		r.Manifest(repo, "v1", ocispec.MediaTypeImageManifest, ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2},
			MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: layers})
		names = append(names, r.Host+"/"+repo+":v1")
	}
	put("good", layer)
	for i, size := range sizes {
		wrong := layer
		wrong.Size = size
		put(fmt.Sprintf("liar%d", i), layer, wrong)
	}
	r.Image("other", "v1", []byte("other"))
	names = append(names, r.Host+"/other:v1")
	return names
}

// TestWrongSizeFailsTheLiarAlone: of several sizes that manifests give one blob, one is
// right, and who has it is whole, in whatever order they come.
func TestWrongSizeFailsTheLiarAlone(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	names := fillLiars(source, 3, 299_999, 300_001, 1_000_000, 200<<20, 1e18, math.MaxInt64)
	for _, out := range outputs {
		for turn := range len(names) {
			order := slices.Concat(names[turn:], names[:turn])
			path := t.TempDir() + "/" + out
			report, err := tryBackup(t, path, selections(t, order...), engine.BackupOptions{})
			if err != nil {
				t.Fatalf("%s, %v: %v", out, order, err)
			}
			for _, a := range report.Artifacts {
				if lies := strings.Contains(a.Reference, "/liar"); lies != (a.Err != nil) {
					t.Errorf("%s, beginning with %s: %s: %v", out, order[0], a.Reference, a.Err)
				}
			}
			if report.Shared < 0 {
				t.Errorf("%d bytes are shared", report.Shared)
			}
		}
	}
}

// TestFalseSizeFillsNoDisk: what a manifest says of one blob keeps no other artifact out
// of an archive, and no sum goes round.
func TestFalseSizeFillsNoDisk(t *testing.T) {
	for _, sizes := range [][]int64{{1e18}, {math.MaxInt64}, {math.MaxInt64, math.MaxInt64 - 1, 1e18}, {1 << 50, 1 << 51}} {
		for _, out := range outputs {
			source := testregistry.New(t, testregistry.Options{})
			names := fillLiars(source, sizes...)
			slices.Reverse(names)
			path := t.TempDir() + "/" + out
			report, err := tryBackup(t, path, selections(t, names...), engine.BackupOptions{})
			if err != nil || len(report.Failures()) != len(sizes) {
				t.Errorf("%s, %d: %v, %v", out, sizes, err, report.Failures())
			}
			for _, a := range report.Artifacts {
				if a.Bytes < 0 || strings.Contains(a.Reference, "/liar") != (a.Err != nil) {
					t.Errorf("%s: %d bytes, %v", a.Reference, a.Bytes, a.Err)
				}
			}
			right(t, path)
			forecast, err := backup.Forecast(t.Context(), client(0), selections(t, names...), backup.Output{}, engine.BackupOptions{})
			if err != nil || forecast.Distinct < 0 || forecast.Transfer < 0 || forecast.Shared < 0 {
				t.Errorf("%d: %v, %+v", sizes, err, forecast)
			}
		}
	}
}
