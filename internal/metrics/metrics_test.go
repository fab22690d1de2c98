package metrics

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
)

// at runs a run that begins at a time, lasts 90 seconds, and ends like this.
func at(t *testing.T, path string, began int64, o Options, end Outcome) {
	t.Helper()
	f, err := New(path, o)
	if err != nil {
		t.Fatal(err)
	}
	f.began = time.Unix(began, 0)
	f.now = func() time.Time { return f.began.Add(30 * time.Second) }
	p := f.Progress(engine.Silent{})
	if end.Report != nil {
		for _, a := range end.Report.Artifacts {
			if a.Err != nil {
				p.Failed(a)
			} else {
				p.Finished(a)
			}
		}
	}
	f.now = func() time.Time { return f.began.Add(90 * time.Second) }
	if err := f.Write(end); err != nil {
		t.Fatal(err)
	}
}

// scrape parses a file as the collector does, and returns its samples. A file that says twice
// what one sample is makes the collector drop everything.
func scrape(t *testing.T, path string) map[string]float64 {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(file)
	if err != nil {
		t.Fatal(err)
	}
	samples := make(map[string]float64)
	for name, family := range families {
		if family.GetHelp() == "" || family.Type == nil || strings.HasSuffix(name, "_total") {
			t.Errorf("%s: help %q, type %v", name, family.GetHelp(), family.Type)
		}
		for _, m := range family.Metric {
			labels := make([]string, len(m.Label))
			for i, l := range m.Label {
				labels[i] = l.GetName() + "=" + l.GetValue()
			}
			key := strings.TrimPrefix(name, prefix) + " " + strings.Join(labels, " ")
			if _, twice := samples[key]; twice || m.TimestampMs != nil {
				t.Errorf("%s: twice %v, time %v", key, twice, m.TimestampMs)
			}
			samples[key] = m.GetGauge().GetValue()
		}
	}
	return samples
}

// expect compares samples.
func expect(t *testing.T, got map[string]float64, want map[string]float64) {
	t.Helper()
	for key, value := range want {
		if is, there := got[key]; !there || is != value {
			t.Errorf("%s: %v, %v, want %v", key, is, there, value)
		}
	}
}

func artifact(reference, target string, bytes int64, err error) engine.ArtifactReport {
	return engine.ArtifactReport{Reference: reference, Target: target, Bytes: bytes, Err: err}
}

var errGone = errors.New("gone")

// TestLastSuccessSurvivesFailures: the time of the last success stays until the next one, of
// the run and of each registry.
func TestLastSuccessSurvivesFailures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nightly.prom")
	backup := Options{Command: "backup"}
	whole := &engine.Report{Planned: true, Moved: 300, Artifacts: []engine.ArtifactReport{
		artifact("ghcr.io/a/b:v1", "", 100, nil), artifact("ghcr.io/a/c:v1", "", 150, nil), artifact("registry.k8s.io/pause:3.10", "", 50, nil)}}
	at(t, path, 1000, backup, Outcome{Report: whole, Committed: true, Requests: map[string]int{"ghcr.io": 7}})
	run, github, k8s := " command=backup file=nightly.prom", " command=backup file=nightly.prom registry=ghcr.io", " command=backup file=nightly.prom registry=registry.k8s.io"
	expect(t, scrape(t, path), map[string]float64{
		"last_success_timestamp_seconds" + run: 1090, "last_run_timestamp_seconds" + run: 1090, "last_run_exit_code" + run: 0, "last_run_duration_seconds" + run: 90, "last_run_transferred_bytes" + run: 300,
		"artifacts" + github: 2, "failed_artifacts" + github: 0, "artifact_bytes" + github: 250, "registry_requests" + github: 7, "registry_duration_seconds" + github: 30, "registry_last_success_timestamp_seconds" + github: 1090,
		"artifacts" + k8s: 1, "artifact_bytes" + k8s: 50,
	})

	// Exit code 3: one registry fails.
	partial := &engine.Report{Planned: true, Artifacts: []engine.ArtifactReport{artifact("ghcr.io/a/b:v1", "", 0, errGone), artifact("registry.k8s.io/pause:3.10", "", 50, nil)}}
	at(t, path, 2000, backup, Outcome{Report: partial, Committed: true, ExitCode: 3})
	expect(t, scrape(t, path), map[string]float64{
		"last_success_timestamp_seconds" + run: 1090, "last_run_timestamp_seconds" + run: 2090, "last_run_exit_code" + run: 3,
		"artifacts" + github: 1, "failed_artifacts" + github: 1, "registry_last_success_timestamp_seconds" + github: 1090,
		"failed_artifacts" + k8s: 0, "registry_last_success_timestamp_seconds" + k8s: 2090,
	})

	// A run that does not begin knows no registry.
	at(t, path, 3000, backup, Outcome{ExitCode: 2})
	got := scrape(t, path)
	expect(t, got, map[string]float64{
		"last_success_timestamp_seconds" + run: 1090, "last_run_exit_code" + run: 2, "last_run_transferred_bytes" + run: 0,
		"registry_last_success_timestamp_seconds" + github: 1090, "registry_last_success_timestamp_seconds" + k8s: 2090,
	})
	if _, there := got["artifacts"+github]; there {
		t.Error("the counts of an earlier run stay")
	}

	// Nothing is committed: no registry succeeds.
	at(t, path, 4000, backup, Outcome{Report: whole, ExitCode: 1})
	expect(t, scrape(t, path), map[string]float64{"registry_last_success_timestamp_seconds" + github: 1090, "registry_last_success_timestamp_seconds" + k8s: 2090})

	// A retry sees a part of the registries, a complete run all of them.
	one := &engine.Report{Planned: true, Artifacts: whole.Artifacts[:1]}
	at(t, path, 5000, Options{Command: "backup", Retry: true}, Outcome{Report: one, Committed: true})
	expect(t, scrape(t, path), map[string]float64{"last_success_timestamp_seconds" + run: 5090, "registry_last_success_timestamp_seconds" + github: 5090, "registry_last_success_timestamp_seconds" + k8s: 2090})
	at(t, path, 6000, backup, Outcome{Report: one, Committed: true})
	if _, there := scrape(t, path)["registry_last_success_timestamp_seconds"+k8s]; there {
		t.Error("a registry stays that the spec no longer names")
	}
}

// TestNeverASuccess: the first run fails, and an alert on the age of the last success works.
func TestNeverASuccess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.prom")
	at(t, path, 1000, Options{Command: "sync"}, Outcome{ExitCode: 1})
	expect(t, scrape(t, path), map[string]float64{"last_success_timestamp_seconds command=sync file=x.prom": 0})
}

// TestTargets: an artifact counts between its registry and the one it is pushed to.
func TestTargets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.prom")
	at(t, path, 1000, Options{Command: "restore"}, Outcome{Committed: true, ExitCode: 3, Report: &engine.Report{Planned: true, Artifacts: []engine.ArtifactReport{
		artifact("ghcr.io/a/b:v1", "localhost:5000/a/b:v1", 9, nil), artifact("ghcr.io/a/b:v1", "dr.example:5000/a/b:v1", 9, errGone), artifact("v1", "", 9, nil), artifact("quay.io", "", 0, errGone)}}})
	got := scrape(t, path)
	expect(t, got, map[string]float64{
		"failed_artifacts command=restore file=x.prom registry=ghcr.io target=localhost:5000":  0,
		"failed_artifacts command=restore file=x.prom registry=ghcr.io target=dr.example:5000": 1,
		"failed_artifacts command=restore file=x.prom registry=quay.io":                        1,
		"artifacts command=restore file=x.prom":                                                1,
	})
}

// TestFailureBeforeTarget: the first failure of a registry does not look as if the registry had
// never succeeded.
func TestFailureBeforeTarget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nightly.prom")
	sync := Options{Command: "sync"}
	good := artifact("ghcr.io/a/b:v1", "one.example/a/b:v1", 100, nil)
	at(t, path, 1000, sync, Outcome{Report: &engine.Report{Planned: true, Artifacts: []engine.ArtifactReport{good}}, Committed: true})
	failed := &engine.Report{Planned: true, Artifacts: []engine.ArtifactReport{good,
		artifact("ghcr.io/a/gone:v1", "", 0, errGone), artifact("new.example/a:v1", "", 0, errGone)}}
	labels := " command=sync file=nightly.prom registry="
	for _, began := range []int64{2000, 3000} {
		at(t, path, began, sync, Outcome{Report: failed, Committed: true, ExitCode: 3})
		expect(t, scrape(t, path), map[string]float64{
			"registry_last_success_timestamp_seconds" + labels + "ghcr.io target=one.example": float64(began + 90),
			"registry_last_success_timestamp_seconds" + labels + "ghcr.io":                    1090,
			"registry_last_success_timestamp_seconds" + labels + "new.example":                0,
		})
	}
}

// TestManyRegistries: a bundle of others may name any number of registries, and the next run
// still reads the file.
func TestManyRegistries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.prom")
	const each = maxPairs + 500
	sent := make(map[string]int)
	report := &engine.Report{Planned: true, Artifacts: []engine.ArtifactReport{artifact(strings.Repeat("a", 1<<10)+".example/a:v1", "", 5, nil)}}
	for i := range each {
		host := fmt.Sprintf("r%04d.example", i)
		sent[host] = 2
		report.Artifacts = append(report.Artifacts, artifact(host+"/a:v1", "a.example/a:v1", 3, nil), artifact(host+"/a:v2", "b.example/a:v2", 4, errGone))
	}
	for range 2 {
		at(t, path, 1000, Options{Command: "restore"}, Outcome{Report: report, Committed: true, ExitCode: 3, Requests: sent})
	}
	got, all := scrape(t, path), map[string]float64{}
	for key, value := range got {
		name, _, _ := strings.Cut(key, " ")
		all[name] += value
	}
	expect(t, all, map[string]float64{"artifacts": 2*each + 1, "failed_artifacts": each, "artifact_bytes": 7*each + 5, "registry_requests": 2 * each})
	expect(t, got, map[string]float64{
		"failed_artifacts command=restore file=x.prom registry=r0001.example target=b.example":                1,
		"artifacts command=restore file=x.prom registry=other":                                                1,
		"artifacts command=restore file=x.prom registry=other target=a.example":                               each - maxPairs/2,
		"registry_last_success_timestamp_seconds command=restore file=x.prom registry=other target=b.example": 0,
		"registry_duration_seconds command=restore file=x.prom registry=other target=b.example":               30,
	})
	if len(got) > 6*maxPairs+20 {
		t.Errorf("%d samples", len(got))
	}
}

// TestOtherCommandsAndShardsStay: a file may be given to several commands, and to the shards of
// a plan one after the other.
func TestOtherCommandsAndShardsStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.prom")
	done := Outcome{Report: &engine.Report{Planned: true, Artifacts: []engine.ArtifactReport{artifact("ghcr.io/a/b:v1", "", 1, nil)}}, Committed: true}
	at(t, path, 1000, Options{Command: "backup"}, done)
	at(t, path, 2000, Options{Command: "verify"}, done)
	for i := range 2 {
		at(t, path, int64(3000+i), Options{Command: "sync", Shard: &shard.Part{Index: i, Count: 2}}, done)
	}
	success := "last_success_timestamp_seconds command="
	expect(t, scrape(t, path), map[string]float64{success + "backup file=x.prom": 1090, success + "verify file=x.prom": 2090,
		success + "sync file=x.prom shard=0/2": 3090, success + "sync file=x.prom shard=1/2": 3091})
	moved := path + ".moved"
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	at(t, moved, 4000, Options{Command: "sync", Shard: &shard.Part{Index: 0, Count: 4}}, Outcome{ExitCode: 1})
	got := scrape(t, moved)
	expect(t, got, map[string]float64{success + "backup file=x.prom.moved": 1090, success + "sync file=x.prom.moved shard=0/4": 0})
	if len(got) >= 40 {
		t.Errorf("%d samples", len(got))
	}
	for key := range got {
		if strings.Contains(key, "/2") || strings.Contains(key, "file=x.prom ") {
			t.Errorf("%s stays", key)
		}
	}
}

// TestLabelsAreEscaped: the name of a file has any bytes.
func TestLabelsAreEscaped(t *testing.T) {
	name := "{a} \"b\" \\ \n\xff.prom"
	path := filepath.Join(t.TempDir(), name)
	for range 2 {
		at(t, path, 1000, Options{Command: "sync"}, Outcome{ExitCode: 1})
	}
	expect(t, scrape(t, path), map[string]float64{"last_run_exit_code command=sync file={a} \"b\" \\ \n_.prom": 1})
}

// TestForeignAndBrokenFiles: a file with something else is refused before the run, and stays.
func TestForeignAndBrokenFiles(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"foreign": "# TYPE up gauge\nup 1\n", "mixed": "# TYPE oras_mirror_artifacts gauge\noras_mirror_artifacts 1\n# TYPE up gauge\nup 1\n",
		"untyped": "oras_mirror_artifacts 1\n", "cut": "# TYPE oras_mirror_artifacts gauge\noras_mirror_artifacts{command=\"ba", "text": "Dear diary\n",
		"spec": "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\n", "binary": "\x1f\x8b\x08\x00",
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(path, Options{Command: "sync"}); !exit.IsUsage(err) {
			t.Errorf("%s: %v", name, err)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != text {
			t.Errorf("%s is %q now, %v", name, now, err)
		}
	}
	for _, path := range []string{"-", folder} {
		if _, err := New(path, Options{Command: "sync"}); !exit.IsUsage(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
	used := Options{Command: "sync", Used: []overwrite.File{{What: "the input", Path: filepath.Join(folder, "cut")}}}
	if _, err := New(filepath.Join(folder, "cut"), used); err == nil || !strings.Contains(err.Error(), "is the input") {
		t.Error(err)
	}
}

// TestWriteReplacesAtOnce: the collector reads the file at any time, as another user, and an
// empty file is as good as none.
func TestWriteReplacesAtOnce(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "x.prom")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	at(t, path, 1000, Options{Command: "sync"}, Outcome{ExitCode: 1})
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o644 || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}
	if before, err := old.Stat(); err != nil || before.Size() != 0 || os.SameFile(before, info) {
		t.Errorf("it was written in place: %v, %v", before, err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}

	// What breaks the file while the run goes on is not replaced.
	f, err := New(path, Options{Command: "sync"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("up 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(Outcome{}); !errors.Is(err, errForeign) {
		t.Error(err)
	}
}

// TestNoFile: without --metrics nothing happens.
func TestNoFile(t *testing.T) {
	f, err := New("", Options{Command: "sync"})
	if err != nil || f != nil || f.Progress(engine.Silent{}) != (engine.Silent{}) || f.Write(Outcome{}) != nil {
		t.Errorf("%v, %v", f, err)
	}
	if f, err = New(os.DevNull, Options{Command: "sync"}); err != nil || f.Write(Outcome{}) != nil {
		t.Errorf("%v, %v", f, err)
	}
}

// FuzzParse checks that what parses is written so that it parses to the same text again.
func FuzzParse(f *testing.F) {
	f.Add("# HELP oras_mirror_artifacts Artifacts.\n# TYPE oras_mirror_artifacts gauge\noras_mirror_artifacts{command=\"backup\",file=\"a\\\"b\"} 3\n")
	f.Add("#\n{}")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := parse(strings.NewReader(text))
		if err != nil {
			return
		}
		var once, twice strings.Builder
		if err := first.write(&once); err != nil {
			return
		}
		second, err := parse(strings.NewReader(once.String()))
		if err != nil {
			t.Fatalf("%v: %q", err, once.String())
		}
		if err := second.write(&twice); err != nil || once.String() != twice.String() {
			t.Errorf("%v: %q, then %q", err, once.String(), twice.String())
		}
	})
}
