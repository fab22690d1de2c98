package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// document makes docs/benchmarks.md of what was measured. It depends on nothing else.
func document(all []work, measured map[string]measurement) string {
	var limits, missed, parts strings.Builder
	for _, w := range all {
		m, ok := measured[w.short]
		limits.WriteString(w.verdicts(m))
		missed.WriteString(w.explanations(m))
		if ok {
			parts.WriteString("\n" + w.describe(m))
		}
	}
	count, met, unmeasured := standing(all, measured)
	verdict := fmt.Sprintf("%d of %d limits are met", met, count)
	if unmeasured > 0 {
		verdict += fmt.Sprintf(", %d are not measured", unmeasured)
	}
	explained := ""
	if missed.Len() > 0 {
		explained = "\nWhat is missed, and why:\n\n" + missed.String()
	}
	return fmt.Sprintf(`# Benchmarks

Written by %[1]smake compare%[1]s. Do not edit it by hand.

## What to expect

%[2]s
- The floor is a program that does the same work and nothing else: only the necessary requests, 16 at once, every
  body hashed, nothing retried, nothing reported. Nothing can be much faster. 1.05 means 5 %% more time than the floor.
- The best other tool is the fastest of those that were measured for the job. 0.10 means a tenth of its time.
- Times depend on machine and network; ratios do so less, and requests not at all. %[3]s.

## Limits

| work | comparison | measured | limit | |
|---|---|---|---|---|
%[4]s%[5]s
## How it is measured

- All run on loopback, each in a process of its own, and share the machine. The registry (internal/testregistry)
  keeps everything in memory. Where a delay is given, it waits that long before each answer. The bucket is versitygw,
  behind a proxy that counts.
- The contenders take turns. Limits compare the median of the ratios within a round. Seconds are medians, with
  minimum and maximum. A contender that took half a minute for a work gets no further turn.
- Requests and traffic are those of the first turn. Traffic is what all servers sent and received.
- %[1]smake compare WORKS='serve|delta'%[1]s measures only these works; the other parts stay, with their dates.
  benchmarks.json has the figures.
%[6]s
Next: [Other tools](comparison.md)
`, "`", expectations(all, measured), verdict, limits.String(), explained, parts.String())
}

// describe makes the part of a work: figures, requests, commands.
func (w work) describe(m measurement) string {
	text := new(strings.Builder)
	fmt.Fprintf(text, "## %s\n\n", w.title)
	if w.note != "" {
		text.WriteString(w.note + "\n\n")
	}
	fmt.Fprintf(text, "Measured on %s: %s. For -run: %s.%s\n\n", m.Date, m.Machine, w.short, m.Note)
	text.WriteString("| | turns | seconds | CPU seconds | peak memory | traffic | requests |\n|---|---|---|---|---|---|---|\n")
	for _, c := range w.contenders {
		if len(m.Results[c.name]) > 0 {
			text.WriteString(row(c.name, m.Results))
		}
	}
	text.WriteString("\n```\n")
	for _, line := range w.commands() {
		text.WriteString("$ " + line + "\n")
	}
	text.WriteString("```\n")
	return text.String()
}

// commands are the lines of a work, each once, without those of floors.
func (w work) commands() []string {
	lines := slices.Clone(w.input)
	for _, c := range w.contenders {
		lines = append(append(lines, c.server), c.steps...)
	}
	var shown []string
	for _, line := range lines {
		if line != "" && !strings.HasPrefix(line, "floor ") && !slices.Contains(shown, line) {
			shown = append(shown, line)
		}
	}
	return shown
}

func row(name string, r results) string {
	var cpus []float64
	for _, f := range r[name] {
		cpus = append(cpus, f.CPU)
	}
	walls, middle := r.seconds(name)
	return fmt.Sprintf("| %s | %d | %.2f (%.2f to %.2f) | %.2f | %d MiB | %s | %s |\n", name, len(walls), middle,
		slices.Min(walls), slices.Max(walls), median(cpus), r.memory(name)>>20, trafficText(r[name][0].Traffic), requestsText(r[name][0].Requests))
}

// trafficText is a number of MiB.
func trafficText(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
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
