package e2e

import (
	"fmt"
	"strings"
)

// job is a row of what a reader expects.
type job struct {
	what   string
	ours   string   // the contender
	floor  string   // that does the same work; empty: there is none
	others []string // the other tools
}

// expectations makes the table of what to expect.
func expectations(all []work, measured map[string]measurement) string {
	text := new(strings.Builder)
	text.WriteString("| job | time | times the floor | times the best other tool | memory | requests |\n|---|---|---|---|---|---|\n")
	for _, w := range all {
		r := measured[w.short].Results
		for _, j := range w.jobs {
			if len(r[j.ours]) > 0 {
				text.WriteString(j.row(r))
			}
		}
	}
	return text.String()
}

func (j job) row(r results) string {
	_, took := r.seconds(j.ours)
	floor, other := "", ""
	if value, ok := r.ratio(j.ours, j.floor, 1); ok {
		floor = fmt.Sprintf("%.2f", value)
	}
	if best := j.best(r); best != "" {
		value, _ := r.ratio(j.ours, best, 1)
		other = fmt.Sprintf("%.2f (%s)", value, best)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %d MiB | %s |\n", j.what, inWords(took), floor, other, r.memory(j.ours)>>20, thousands(r[j.ours][0].sent()))
}

// best returns the other tool with the shortest time, or nothing.
func (j job) best(r results) string {
	best, least := "", 0.0
	for _, name := range j.others {
		if _, took := r.seconds(name); len(r[name]) > 0 && (best == "" || took < least) {
			best, least = name, took
		}
	}
	return best
}

// inWords is a time with two or three digits.
func inWords(seconds float64) string {
	switch {
	case seconds < 10:
		return fmt.Sprintf("%.2f s", seconds)
	case seconds < 100:
		return fmt.Sprintf("%.1f s", seconds)
	}
	return fmt.Sprintf("%.0f s", seconds)
}

// standing counts the limits: how many there are, are met, and are not measured.
func standing(all []work, measured map[string]measurement) (count, met, unmeasured int) {
	for _, w := range all {
		for _, l := range w.limits {
			count++
			switch _, ok := l.value(measured[w.short].Results); {
			case !ok:
				unmeasured++
			case !l.missed(measured[w.short].Results):
				met++
			}
		}
	}
	return count, met, unmeasured
}
