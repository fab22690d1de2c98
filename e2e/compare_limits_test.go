package e2e

import (
	"fmt"
	"strings"
)

// limit bounds the figures of a work.
type limit struct {
	what  string
	most  float64
	unit  string
	value func(results) (float64, bool) // false: not measured
	why   string                        // explains a miss
}

func (l limit) missed(r results) bool {
	value, ok := l.value(r)
	return ok && value > l.most
}

// because is the limit with an explanation, which stands in the document if the limit is
// missed.
func (l limit) because(why string) limit {
	l.why = why
	return l
}

// ratio limits the time of one contender by that of another.
func ratio(ours, other string, most float64) limit {
	return limit{what: ours + " : " + other, most: most, value: func(r results) (float64, bool) {
		return r.ratio(ours, other, 1)
	}}
}

// perArtifact is the same for a single artifact of n and of m.
func perArtifact(many string, n int, few string, m int, most float64) limit {
	return limit{what: many + " : " + few + ", time for each", most: most, value: func(r results) (float64, bool) {
		return r.ratio(many, few, float64(m)/float64(n))
	}}
}

func memory(name string, most float64) limit {
	return limit{what: name + ", peak memory", most: most, unit: " MiB", value: func(r results) (float64, bool) {
		peak := r.memory(name)
		return float64(peak) / (1 << 20), peak > 0
	}}
}

// traffic limits the bytes of the first turns.
func traffic(ours, other string, most float64) limit {
	return limit{what: ours + " : " + other + ", bytes", most: most, value: func(r results) (float64, bool) {
		if len(r[ours]) == 0 || len(r[other]) == 0 || r[other][0].Traffic == 0 {
			return 0, false
		}
		return float64(r[ours][0].Traffic) / float64(r[other][0].Traffic), true
	}}
}

// requests limits how many requests more than another a contender sends.
func requests(ours, other string, more float64) limit {
	return limit{what: ours + " : " + other + ", requests more", most: more, value: func(r results) (float64, bool) {
		if len(r[ours]) == 0 || len(r[other]) == 0 {
			return 0, false
		}
		return float64(r[ours][0].sent() - r[other][0].sent()), true
	}}
}

// sent returns the number of requests. A range is counted by its kind, too.
func (f figures) sent() int {
	n := 0
	for kind, of := range f.Requests {
		if !strings.HasSuffix(kind, "range") {
			n += of
		}
	}
	return n
}

// verdicts are the rows of a work in the table of limits.
func (w work) verdicts(m measurement) string {
	rows := new(strings.Builder)
	for _, l := range w.limits {
		value, ok := l.value(m.Results)
		if !ok {
			fmt.Fprintf(rows, "| %s | %s | | %.3g%s | not measured |\n", w.title, l.what, l.most, l.unit)
			continue
		}
		verdict := map[bool]string{true: "**missed**", false: "met"}[l.missed(m.Results)]
		fmt.Fprintf(rows, "| %s | %s | %.3g%s | %.3g%s | %s |\n", w.title, l.what, value, l.unit, l.most, l.unit, verdict)
	}
	return rows.String()
}

// explanations returns the reasons for the limits that a work missed.
func (w work) explanations(m measurement) string {
	items := new(strings.Builder)
	for _, l := range w.limits {
		if l.missed(m.Results) {
			value, _ := l.value(m.Results)
			fmt.Fprintf(items, "- *%s*, %s, %.3g%s instead of %.3g%s: %s\n", w.title, l.what, value, l.unit, l.most, l.unit, l.why)
		}
	}
	return items.String()
}
