package e2e

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// limit is what a work must show.
type limit struct {
	what  string
	most  float64
	unit  string
	value func(results) (float64, bool) // false: not measured
}

// ratio is the median of the rounds' ratios: noise that lasts longer than a
// round is in both.
func ratio(ours, other string, most float64) limit {
	return limit{what: ours + " : " + other, most: most, value: func(r results) (float64, bool) {
		return medianRatio(r[ours], r[other], 1)
	}}
}

// perArtifact is the same for a single artifact of n and of m.
func perArtifact(many string, n int, few string, m int, most float64) limit {
	return limit{what: many + " : " + few + ", time for each", most: most, value: func(r results) (float64, bool) {
		return medianRatio(r[many], r[few], float64(m)/float64(n))
	}}
}

func memory(name string, most float64) limit {
	return limit{what: name + ", peak memory", most: most, unit: " MiB", value: func(r results) (float64, bool) {
		var peak int64
		for _, f := range r[name] {
			peak = max(peak, f.memory)
		}
		return float64(peak) / (1 << 20), peak > 0
	}}
}

func medianRatio(a, b []figures, factor float64) (float64, bool) {
	var all []float64
	for i := range min(len(a), len(b)) {
		all = append(all, factor*float64(a[i].wall)/float64(b[i].wall))
	}
	return median(all), len(all) > 0
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// document is docs/benchmarks.md.
type document struct {
	limits strings.Builder // rows of the table
	parts  []string
}

func newDocument() *document { return new(document) }

// add takes in what came of a work and returns how it stands in the document.
func (d *document) add(w work, r results) string {
	verdicts := new(strings.Builder)
	for _, l := range w.limits {
		value, ok := l.value(r)
		verdict := "met"
		switch {
		case !ok:
			verdict = "not measured"
		case value > l.most:
			verdict = "**missed**"
		}
		fmt.Fprintf(verdicts, "| %s | %s | %.3g%s | %.3g%s | %s |\n", w.title, l.what, value, l.unit, l.most, l.unit, verdict)
	}
	d.limits.WriteString(verdicts.String())
	part := w.describe(r)
	d.parts = append(d.parts, part)
	return part + "\n" + verdicts.String()
}

// describe makes the part of a work: figures, requests, commands.
func (w work) describe(r results) string {
	text := new(strings.Builder)
	fmt.Fprintf(text, "## %s\n\n| | seconds | CPU seconds | peak memory | requests |\n|---|---|---|---|---|\n", w.title)
	for _, c := range w.contenders {
		if len(r[c.name]) > 0 {
			text.WriteString(row(c.name, r[c.name]))
		}
	}
	text.WriteString("\n```\n")
	for _, line := range w.input {
		text.WriteString("$ " + line + "\n")
	}
	for _, c := range w.contenders {
		for _, line := range c.steps {
			if !strings.HasPrefix(line, "floor ") {
				text.WriteString("$ " + line + "\n")
			}
		}
	}
	text.WriteString("```\n")
	return text.String()
}

func row(name string, all []figures) string {
	var walls, cpus []float64
	var peak int64
	for _, f := range all {
		walls, cpus = append(walls, f.wall.Seconds()), append(cpus, f.cpu.Seconds())
		peak = max(peak, f.memory)
	}
	return fmt.Sprintf("| %s | %.2f (%.2f to %.2f) | %.2f | %d MiB | %s |\n", name,
		median(walls), slices.Min(walls), slices.Max(walls), median(cpus), peak>>20, requestsText(all[0].requests))
}

// requestsText lists counts: "200 GET manifest, 401 GET blob".
func requestsText(counts map[string]int) string {
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, thousands(counts[kind])+" "+kind)
	}
	return strings.Join(words, ", ")
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func (d *document) String() string {
	return fmt.Sprintf(`# Benchmarks

Written by `+"`make compare`"+` on %s. Do not edit it by hand.

- Machine: %d cores, %s of memory, %s/%s, %s. The registry and the contender share it.
- Both run on loopback, each in its own process. The registry (internal/testregistry) keeps everything in
  memory. Where a delay is given, it waits that long before each answer.
- The contenders take turns, for %d rounds. Limits compare the median of the ratios within a round. Seconds
  are medians, with minimum and maximum.
- A bare downloader sends only the necessary requests, 16 at once, hashes every body, writes it and syncs
  the file. Nothing can be much faster.
- Requests are those of the first round. They do not depend on the machine.

## Limits

| work | comparison | measured | limit | |
|---|---|---|---|---|
%s
%s
Next: [Other tools](comparison.md)
`, time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), installedMemory(), runtime.GOOS, runtime.GOARCH,
		runtime.Version(), *compareRounds, d.limits.String(), strings.Join(d.parts, "\n"))
}

// installedMemory is the machine's, where that can be found out.
func installedMemory() string {
	data, _ := os.ReadFile("/proc/meminfo") // absent but on Linux
	var kibibytes int
	if _, err := fmt.Sscanf(string(data), "MemTotal: %d kB", &kibibytes); err != nil {
		return "an unknown amount"
	}
	return fmt.Sprintf("%d GiB", (kibibytes+1<<19)>>20)
}
