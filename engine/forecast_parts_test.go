package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// forecastParts plans a bundle in parts over the layout that is there, which may be nil.
func forecastParts(t *testing.T, path string, size int64, sources []config.Selection, there store.Layout, o engine.BackupOptions) (*engine.Forecast, error) {
	t.Helper()
	plan, err := store.PlanParts(path, store.CreateOptions{PartSize: size})
	if err != nil {
		t.Fatal(err)
	}
	return backup.Forecast(t.Context(), client(0), sources, backup.Output{There: there, Parts: plan}, o)
}

// TestForecastOfParts: a forecast has the number of parts, their size at most, and the requests of
// the run that follows, for a new bundle and over the parts of an earlier one.
func TestForecastOfParts(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillParts(source)
	sources := selections(t, append(fill(source), source.Host+"/app", source.Host+"/app:v9")...) // v9 is not there
	for _, name := range []string{"bundle.tgz", "bundle.tar"} {
		for _, size := range []int64{700_000, partSize, 64 << 20} {
			path := filepath.Join(t.TempDir(), name)
			var there store.Layout
			for range 2 {
				f, err := forecastParts(t, path, size, sources, there, engine.BackupOptions{})
				if err != nil {
					t.Fatal(err)
				}
				source.ResetCounts()
				report, err := backUpParts(t, t.Context(), path, size, sources, engine.BackupOptions{Previous: there})
				if err != nil {
					t.Fatal(err)
				}
				var written int64
				for _, p := range report.Parts {
					info, err := os.Stat(p.Path)
					if err != nil {
						t.Fatal(err)
					}
					written += info.Size()
				}
				if f.Files != len(report.Parts) || f.Needed < written || f.Needed > written+written/4+int64(f.Files)*32<<10 {
					t.Errorf("%s of %d: %d parts of %d bytes, the forecast said %d of %d", name, size, len(report.Parts), written, f.Files, f.Needed)
				}
				if got := total(source); got != f.Requests || report.Moved != f.Transfer {
					t.Errorf("%s of %d: %d requests and %d bytes, the forecast said %d and %d", name, size, got, report.Moved, f.Requests, f.Transfer)
				}
				there = openParts(t, partPaths(t, path))
			}
		}
	}
	var small *parts.SizeError
	if _, err := forecastParts(t, "x.tgz", 5000, sources, nil, engine.BackupOptions{}); !errors.As(err, &small) || small.Least == 0 {
		t.Errorf("parts that the manifests alone fill: %v", err)
	}
}
