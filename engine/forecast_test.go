package engine_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// reopen opens what a backup may have written, nil if nothing is there.
func reopen(t *testing.T, path string) store.Layout {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	in, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	return in
}

func total(r *testregistry.Registry) int {
	n := 0
	for kind, count := range r.Counts() {
		if kind != "range" {
			n += count
		}
	}
	return n
}

// TestForecastOfBackup: what is forecast is what the run then does, for an empty
// output, one that has part of it, and one that has everything.
func TestForecastOfBackup(t *testing.T) {
	for _, out := range outputs {
		for _, api := range []bool{true, false} {
			r := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api})
			repos := fill(r)
			r.Image("large", "v1", testregistry.Random("large", 9<<20))
			repos = append(repos, r.Host+"/large")
			path := t.TempDir() + "/" + out
			for _, n := range []int{1, len(repos), len(repos)} {
				sources := selections(t, repos[:n]...)
				o := engine.BackupOptions{Buffer: 16 << 20}
				there := reopen(t, path)
				f, err := engine.ForecastBackup(t.Context(), client(0), sources, there, strings.HasSuffix(out, "/"), o)
				if err != nil {
					t.Fatal(err)
				}
				r.ResetCounts()
				o.Previous = there
				report, err := tryBackup(t, path, sources, o)
				whole(t, report, err)
				if got := total(r); got != f.Requests {
					t.Errorf("%s: %d requests, the forecast said %d: %v", out, got, f.Requests, r.Counts())
				}
				if report.Moved != f.Transfer {
					t.Errorf("%s: %d bytes moved, the forecast said %d", out, report.Moved, f.Transfer)
				}
				if len(report.Artifacts) != len(f.Artifacts) || f.Distinct-f.There != f.Transfer {
					t.Errorf("%s: %d artifacts, %d bytes of which %d are there and %d move", out, len(f.Artifacts), f.Distinct, f.There, f.Transfer)
				}
				if got := r.Count("GET blob") - r.Count("range"); n == 1 && got != f.Transfers {
					t.Errorf("%s: %d blobs, the forecast said %d", out, got, f.Transfers)
				}
			}
			f, err := engine.ForecastBackup(t.Context(), client(0), selections(t, repos...), reopen(t, path), true, engine.BackupOptions{})
			if err != nil || f.Changes() {
				t.Errorf("%s: something would change: %+v, %v", out, f, err)
			}
		}
	}
}

func TestForecastOfRestore(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	path := t.TempDir() + "/bundle.tgz"
	backup(t, path, selections(t, fill(source)...))
	for _, api := range []bool{true, false} {
		r := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api})
		in := reopen(t, path)
		target, err := config.ParseTarget(r.Host + "/mirror")
		if err != nil {
			t.Fatal(err)
		}
		for _, only := range [][]string{{"charts/**"}, nil, nil} {
			o := engine.RestoreOptions{Targets: []config.Target{target}, Only: only}
			f, err := engine.ForecastRestore(t.Context(), client(0), in, o)
			if err != nil {
				t.Fatal(err)
			}
			r.ResetCounts()
			report, err := engine.Restore(t.Context(), client(0), in, o)
			whole(t, report, err)
			if got := total(r); got != f.Requests {
				t.Errorf("%d requests, the forecast said %d: %v", got, f.Requests, r.Counts())
			}
			if report.Moved != f.Transfer || len(report.Artifacts) != len(f.Artifacts) {
				t.Errorf("%d bytes and %d artifacts, the forecast said %d and %d", report.Moved, len(report.Artifacts), f.Transfer, len(f.Artifacts))
			}
		}
		f, err := engine.ForecastRestore(t.Context(), client(0), in, engine.RestoreOptions{Targets: []config.Target{target}})
		if err != nil || f.Changes() {
			t.Errorf("something would change: %v", err)
		}
	}
}

// TestLock: the same registry gives the same lock, and a backup by it the same bundle.
func TestLock(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	sources := selections(t, fill(r)...)
	var locks [2]bytes.Buffer
	for i := range locks {
		f, err := engine.ForecastBackup(t.Context(), client(0), sources, nil, false, engine.BackupOptions{})
		if err != nil {
			t.Fatal(err)
		}
		lock, err := f.Lock()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lock.WriteTo(&locks[i]); err != nil {
			t.Fatal(err)
		}
	}
	if locks[0].String() != locks[1].String() || locks[0].Len() == 0 {
		t.Errorf("two locks of the same registry:\n%s\n%s", &locks[0], &locks[1])
	}
}
