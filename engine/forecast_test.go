package engine_test

import (
	"bytes"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/restore"
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
		if kind != "range" && kind != "challenge" && kind != "GET token" {
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
				f, err := backup.Forecast(t.Context(), client(0), sources, backup.Output{There: there, Directory: strings.HasSuffix(out, "/")}, o)
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
					t.Errorf("%s: %d artifacts, %d bytes: %d are there and %d move", out, len(f.Artifacts), f.Distinct, f.There, f.Transfer)
				}
				if got := r.Count("GET blob") - r.Count("range"); n == 1 && got != f.Transfers {
					t.Errorf("%s: %d blobs, the forecast said %d", out, got, f.Transfers)
				}
			}
			f, err := backup.Forecast(t.Context(), client(0), selections(t, repos...), backup.Output{There: reopen(t, path), Directory: true}, engine.BackupOptions{})
			if err != nil || f.Changes() {
				t.Errorf("%s: something would change: %+v, %v", out, f, err)
			}
		}
	}
}

func TestForecastOfRestore(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, fill(source)...))
	for _, api := range []bool{true, false} {
		r := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api})
		in := reopen(t, path)
		target, err := config.ParseTarget(r.Host + "/mirror")
		if err != nil {
			t.Fatal(err)
		}
		for _, only := range [][]string{{"charts/**"}, nil, nil} {
			o := engine.RestoreOptions{Targets: []config.Target{target}, Only: only}
			f, err := restore.Forecast(t.Context(), client(0), in, o)
			if err != nil {
				t.Fatal(err)
			}
			r.ResetCounts()
			report, err := restore.Run(t.Context(), client(0), in, o)
			whole(t, report, err)
			if got := total(r); got != f.Requests {
				t.Errorf("%d requests, the forecast said %d: %v", got, f.Requests, r.Counts())
			}
			if report.Moved != f.Transfer || len(report.Artifacts) != len(f.Artifacts) {
				t.Errorf("%d bytes and %d artifacts, the forecast said %d and %d", report.Moved, len(report.Artifacts), f.Transfer, len(f.Artifacts))
			}
		}
		f, err := restore.Forecast(t.Context(), client(0), in, engine.RestoreOptions{Targets: []config.Target{target}})
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
		f, err := backup.Forecast(t.Context(), client(0), sources, backup.Output{}, engine.BackupOptions{})
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

// TestForecastOfLayouts: what a layout on disk has is neither asked for nor counted
// as moved, be it found before or after a registry that has it, too.
func TestForecastOfLayouts(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	repos := fill(r)
	layout := t.TempDir() + "/vendor/"
	backUp(t, layout, selections(t, repos[0]))
	sources := append(selections(t, repos[1]), config.Selection{Layout: layout, Referrers: true}, selections(t, repos[2])[0])
	for _, out := range []string{"bundle.tgz", "layout/"} {
		path := t.TempDir() + "/" + out
		for range 2 {
			there := reopen(t, path)
			f, err := backup.Forecast(t.Context(), client(0), sources, backup.Output{There: there, Directory: out == "layout/"}, engine.BackupOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if there == nil && (f.Near == 0 || f.Distinct-f.Near != f.Transfer) {
				t.Errorf("%s: of %d bytes %d are near, %d move", out, f.Distinct, f.Near, f.Transfer)
			}
			r.ResetCounts()
			report, err := tryBackup(t, path, sources, engine.BackupOptions{Previous: there, Concurrency: 1})
			whole(t, report, err)
			if report.Moved != f.Transfer || total(r) != f.Requests {
				t.Errorf("%s: %d bytes and %d requests, the forecast said %d and %d", out, report.Moved, total(r), f.Transfer, f.Requests)
			}
		}
	}
}

// TestForecastOfSeveralTargets: what each target lacks is counted, and what is there
// in all of them.
func TestForecastOfSeveralTargets(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, fill(source)...))
	a, b := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	restoreTo(t, path, a.Host)
	o := engine.RestoreOptions{Targets: []config.Target{{Registry: a.Host}, {Registry: b.Host}, {Registry: b.Host, Namespace: "again"}}}
	for _, there := range []bool{false, true} {
		f, err := restore.Forecast(t.Context(), client(0), reopen(t, path), o)
		if err != nil {
			t.Fatal(err)
		}
		if there != (f.There == f.Distinct) || there == f.Changes() {
			t.Errorf("%d of %d bytes are there, changes: %v", f.There, f.Distinct, f.Changes())
		}
		a.ResetCounts()
		b.ResetCounts()
		report, err := restore.Run(t.Context(), client(0), reopen(t, path), o)
		whole(t, report, err)
		if got := total(a) + total(b); got != f.Requests || report.Moved != f.Transfer || len(report.Artifacts) != len(f.Artifacts) {
			t.Errorf("%d requests, %d bytes, %d artifacts; the forecast said %d, %d, %d",
				got, report.Moved, len(report.Artifacts), f.Requests, f.Transfer, len(f.Artifacts))
		}
	}
}

// TestForecastWithTokens: a forecast counts all but what only authentication needs.
func TestForecastWithTokens(t *testing.T) {
	r, target := testregistry.New(t, testregistry.Options{Token: true}), testregistry.New(t, testregistry.Options{Token: true})
	repos := fill(r)
	path := t.TempDir() + "/bundle.tgz"
	o := engine.BackupOptions{}
	f, err := backup.Forecast(t.Context(), client(0), selections(t, repos...), backup.Output{}, o)
	if err != nil {
		t.Fatal(err)
	}
	r.ResetCounts()
	report, err := tryBackup(t, path, selections(t, repos...), o)
	whole(t, report, err)
	if got := total(r); got != f.Requests {
		t.Errorf("backup: %d planned, %d made: %v", f.Requests, got, r.Counts())
	}
	ro := engine.RestoreOptions{Targets: []config.Target{{Registry: target.Host}}}
	f, err = restore.Forecast(t.Context(), client(0), reopen(t, path), ro)
	if err != nil {
		t.Fatal(err)
	}
	target.ResetCounts()
	report, err = restore.Run(t.Context(), client(0), reopen(t, path), ro)
	whole(t, report, err)
	if got := total(target); got != f.Requests || target.Count("mount") == 0 {
		t.Errorf("restore: %d planned, %d made: %v", f.Requests, got, target.Counts())
	}
}

// TestForecastOfLess: an archive that would have less of an artifact than the one
// that it replaces is another one.
func TestForecastOfLess(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillPlatforms(r)
	sources := selections(t, r.Host+"/app:v1")
	for _, out := range outputs {
		path, directory := t.TempDir()+"/"+out, out == "layout/"
		backUp(t, path, only(t, sources, "linux/amd64", "linux/arm64"))
		less := only(t, selections(t, r.Host+"/app:v1"), "linux/amd64")
		bare := only(t, selections(t, r.Host+"/app:v1"), "linux/amd64", "linux/arm64")
		bare[0].Referrers = false
		for _, s := range [][]config.Selection{less, bare} {
			f, err := backup.Forecast(t.Context(), client(0), s, backup.Output{There: reopen(t, path), Directory: directory}, engine.BackupOptions{})
			if err != nil || f.Changes() == directory {
				t.Errorf("%s: changes: %v, %v", out, f.Changes(), err)
			}
		}
	}
}

// TestNothingIsForecastAsThereInATargetThatCannotBeAsked: the content of a target that does
// not answer is unknown.
func TestNothingIsForecastAsThereInATargetThatCannotBeAsked(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, fill(source)...))
	target := testregistry.New(t, testregistry.Options{})
	target.Fault(func(*http.Request, int) testregistry.Fault { return testregistry.Status(http.StatusForbidden, "") })
	o := engine.RestoreOptions{Targets: []config.Target{{Registry: target.Host}}}
	f, err := restore.Forecast(t.Context(), client(0), reopen(t, path), o)
	if err != nil {
		t.Fatal(err)
	}
	if f.There != 0 || f.Distinct == 0 {
		t.Errorf("%d of %d bytes are said to be there", f.There, f.Distinct)
	}
	for _, a := range f.Artifacts {
		if a.State != engine.StateFailed {
			t.Errorf("%s: %v", a.Name, a.State)
		}
	}
}

// TestSharedIsNotThereAlready: what artifacts have in common and what was there before
// are two numbers, and those of the run are those of its plan.
func TestSharedIsNotThereAlready(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	repos := fill(r)
	vendor := t.TempDir() + "/vendor/"
	backUp(t, vendor, selections(t, repos[0]))
	sources := append(selections(t, repos[1:]...), config.Selection{Layout: vendor, Referrers: true})
	agree := func(did string, report *engine.Report, f *engine.Forecast) {
		t.Helper()
		if report.Shared != f.Shared || report.There != f.There {
			t.Errorf("%s: %d bytes shared and %d there already, the forecast said %d and %d", did, report.Shared, report.There, f.Shared, f.There)
		}
	}
	var path string
	for _, out := range outputs {
		path = t.TempDir() + "/" + out
		for _, some := range [][]config.Selection{sources[:1], sources, sources} {
			there := reopen(t, path)
			f, err := backup.Forecast(t.Context(), client(0), some, backup.Output{There: there, Directory: strings.HasSuffix(out, "/")}, engine.BackupOptions{})
			if err != nil {
				t.Fatal(err)
			}
			report, err := tryBackup(t, path, some, engine.BackupOptions{Previous: there})
			whole(t, report, err)
			agree("backup to "+out, report, f)
		}
	}
	a, b := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	for _, hosts := range [][]string{{a.Host}, {a.Host, b.Host}, {a.Host, b.Host}} {
		var o engine.RestoreOptions
		for _, host := range hosts {
			o.Targets = append(o.Targets, config.Target{Registry: host})
		}
		in := reopen(t, path)
		f, err := restore.Forecast(t.Context(), client(0), in, o)
		if err != nil {
			t.Fatal(err)
		}
		report, err := restore.Run(t.Context(), client(0), in, o)
		whole(t, report, err)
		if len(hosts) == 2 && f.There == 0 {
			t.Error("nothing is there already")
		}
		agree("restore", report, f)
	}
}
