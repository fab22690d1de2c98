package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestBenchmarksAreWhatWasMeasured makes docs/benchmarks.md again of docs/benchmarks.json.
func TestBenchmarksAreWhatWasMeasured(t *testing.T) {
	folder := filepath.Join("..", "docs")
	measured := loadMeasurements(t, folder)
	if len(measured) == 0 {
		t.Fatal("docs/benchmarks.json has nothing")
	}
	text, err := os.ReadFile(filepath.Join(folder, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := document(works(), measured); string(text) != want {
		t.Error("docs/benchmarks.md is not what make compare writes from docs/benchmarks.json: go test ./e2e -run '^TestCompare$' -compare -compare.rewrite")
	}
	for name := range measured {
		if !slices.ContainsFunc(works(), func(w work) bool { return w.short == name }) {
			t.Errorf("docs/benchmarks.json has the work %q, which there is not", name)
		}
	}
}

// TestEveryMissIsExplained fails for a limit that is missed without a word about it.
func TestEveryMissIsExplained(t *testing.T) {
	measured := loadMeasurements(t, filepath.Join("..", "docs"))
	limits := 0
	for _, w := range works() {
		for _, l := range w.limits {
			limits++
			if l.missed(measured[w.short].Results) && l.why == "" {
				t.Errorf("%s: %s is missed: explain it with because", w.short, l.what)
			}
		}
	}
	if limits < 30 {
		t.Errorf("only %d limits", limits)
	}
}

// TestWorksNameTheirContenders checks that limits and jobs are of contenders.
func TestWorksNameTheirContenders(t *testing.T) {
	for _, w := range works() {
		r := make(results)
		for _, c := range w.contenders {
			r[c.name] = []figures{{Seconds: 1, Memory: 1, Traffic: 1}}
		}
		for _, l := range w.limits {
			if _, ok := l.value(r); !ok {
				t.Errorf("%s: %s compares what does not take part", w.short, l.what)
			}
		}
		if len(w.jobs) == 0 {
			t.Errorf("%s: no job tells what to expect", w.short)
		}
		for _, j := range w.jobs {
			for _, name := range append(slices.Clone(j.others), j.ours, j.floor) {
				if name != "" && r[name] == nil {
					t.Errorf("%s: %s is not a contender", w.short, name)
				}
			}
		}
	}
}

// sampleWorks are two works with what was measured of them.
func sampleWorks() ([]work, map[string]measurement) {
	first := work{
		short: "first", title: "First", note: "A note.",
		input: []string{"tool make"},
		contenders: []contender{
			{name: "ours", steps: []string{"oras-mirror x"}},
			{name: "floor", steps: []string{"floor x"}},
			{name: "slow", steps: []string{"slow x"}},
			{name: "fast", steps: []string{"fast x", "tool make"}},
		},
		limits: []limit{ratio("ours", "floor", 1.3).because("it does more."), ratio("ours", "fast", 1).because("never said.")},
		jobs:   []job{{"Do it", "ours", "floor", []string{"slow", "fast", "absent"}}},
	}
	second := work{
		short: "second", title: "Second",
		contenders: []contender{{name: "ours"}},
		limits:     []limit{memory("ours", 256)},
		jobs:       []job{{what: "Do more", ours: "ours"}},
	}
	return []work{first, second}, map[string]measurement{"first": {
		Date: "2026-01-02", Machine: "a machine",
		Results: results{
			"ours":  {{Seconds: 2, CPU: 1, Memory: 5 << 20, Traffic: 3 << 19, Requests: map[string]int{"GET": 1200, "range": 7}}, {Seconds: 3, CPU: 2, Memory: 9 << 20}, {Seconds: 4, CPU: 1}},
			"floor": {{Seconds: 1}, {Seconds: 2}, {Seconds: 2}},
			"slow":  {{Seconds: 40}},
			"fast":  {{Seconds: 20}, {Seconds: 10}, {Seconds: 8}},
		},
	}}
}

// TestDocumentIsComputed checks the rows that are made of figures.
func TestDocumentIsComputed(t *testing.T) {
	all, measured := sampleWorks()
	text := document(all, measured)
	for _, want := range []string{
		"| Do it | 3.00 s | 2.00 | 0.30 (fast) | 9 MiB | 1,200 |\n",
		"1 of 3 limits are met, 1 are not measured.",
		"| First | ours : floor | 2 | 1.3 | **missed** |\n| First | ours : fast | 0.3 | 1 | met |\n| Second | ours, peak memory | | 256 MiB | not measured |\n",
		"\nWhat is missed, and why:\n\n- *First*, ours : floor, 2 instead of 1.3: it does more.\n",
		"## First\n\nA note.\n\nMeasured on 2026-01-02: a machine. For -run: first.\n",
		"| ours | 3 | 3.00 (2.00 to 4.00) | 1.00 | 9 MiB | 1.5 MiB | 1,200 GET, 7 range |\n",
		"```\n$ tool make\n$ oras-mirror x\n$ slow x\n$ fast x\n```\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q", want)
		}
	}
	for _, not := range []string{"never said", "Do more", "## Second", "$ floor"} {
		if strings.Contains(text, not) {
			t.Errorf("it has %q", not)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestOtherPartsStay measures one work again: the part of the other stays as it was.
func TestOtherPartsStay(t *testing.T) {
	all, measured := sampleWorks()
	folder := t.TempDir()
	saveMeasurements(t, folder, measured)
	before := loadMeasurements(t, folder)
	kept := all[0].describe(before["first"])
	before["second"] = newMeasurement(results{"ours": {{Seconds: 1.23456, Memory: 1 << 20}}})
	saveMeasurements(t, folder, before)
	after := loadMeasurements(t, folder)
	text := document(all, after)
	if !strings.Contains(text, kept) {
		t.Errorf("the first part has changed:\n%s", text)
	}
	for _, want := range []string{"## Second\n", "Measured on 2026-01-02", "Measured on " + after["second"].Date, "2 of 3 limits are met."} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q", want)
		}
	}
	if after["second"].Results["ours"][0].Seconds != 1.2346 {
		t.Error("seconds are not rounded")
	}
}

// TestWithoutMissesNothingIsExplained has no list of misses if there are none.
func TestWithoutMissesNothingIsExplained(t *testing.T) {
	all, measured := sampleWorks()
	measured["first"].Results["floor"] = measured["first"].Results["ours"]
	if text := document(all, measured); strings.Contains(text, "What is missed") || strings.Contains(text, "it does more") {
		t.Error("it explains what is not missed")
	}
}
