package engine_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/discover/chart"
	"github.com/oras-mirror/oras-mirror/internal/testchart"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// putHelm puts a program named helm on PATH that prints a manifest for every chart.
func putHelm(t *testing.T, manifest string) {
	t.Helper()
	folder := t.TempDir()
	script := "#!/bin/sh\ncat <<'END'\n" + manifest + "\nEND\n"
	if err := os.WriteFile(filepath.Join(folder, "helm"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestRenderedChart backs up the images that a chart in a registry renders to, and checks that helm
// gets only the bytes that the registry has under the digest of the chart.
func TestRenderedChart(t *testing.T) {
	values := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(values, []byte("a: b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, flipped := range []bool{false, true} {
		r := testregistry.New(t, testregistry.Options{})
		r.Image("one", "v1", []byte("one"))
		layer := digest.FromBytes(testchart.Chart(t, "app", "1.0.0", "", nil)).String()
		pushChart(t, r, "charts/app", "1.0.0", testchart.Chart(t, "app", "1.0.0", "", nil))
		putHelm(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: "+r.Host+"/one:v1}]}")
		r.Fault(func(req *http.Request, n int) testregistry.Fault {
			if flipped && n == 2 && req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, layer) {
				return testregistry.Flip(20) // the first request reads the images in the chart
			}
			return nil
		})
		out := t.TempDir() + "/b"
		report, err := tryBackup(t, out, specSource(t, "{chart: oci://"+r.Host+"/charts/app, version: 1.0.0, values: ["+values+"]}"), engine.BackupOptions{})
		if failed := failure(report, err); flipped != errors.Is(failed, content.ErrMismatchedDigest) {
			t.Errorf("flipped %v: got %v", flipped, failed)
		}
		if flipped {
			continue
		}
		if got, want := entries(t, out), []string{"charts/app:1.0.0", "one:v1"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestLargeChart refuses a chart in a registry before it is fetched, if it is larger than one that
// helm accepts.
func TestLargeChart(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Manifest("charts/app", "1.0.0", ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		Config:    r.Blob("charts/app", chart.ConfigType, []byte("{}")),
		Layers:    []ocispec.Descriptor{{MediaType: chart.LayerType, Digest: digest.FromString("absent"), Size: 1 << 40}},
	})
	report, err := tryBackup(t, t.TempDir()+"/b", specSource(t, "{chart: oci://"+r.Host+"/charts/app, version: 1.0.0}"), engine.BackupOptions{})
	if failed := failure(report, err); failed == nil || !strings.Contains(failed.Error(), "its .tgz is larger than 100 MiB") {
		t.Errorf("got %v", failed)
	}
}
