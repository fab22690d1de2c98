package inventory

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/text"
)

// Difference is what has to be done to names to make others of them. Each list
// is sorted.
type Difference struct {
	Added   []Name  `json:"added"`
	Removed []Name  `json:"removed"`
	Moved   []moved `json:"moved"`
}

// moved is a name that stands for something else now. Where the digests are the
// same, other referrers or platforms come along.
type moved struct {
	Reference string        `json:"reference"`
	From      digest.Digest `json:"from"`
	To        digest.Digest `json:"to"`
}

func Diff(before, now []Name) *Difference {
	old, young := byName(before), byName(now)
	d := &Difference{Added: []Name{}, Removed: []Name{}, Moved: []moved{}}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		was := old[name]
		is, ok := young[name]
		switch {
		case !ok:
			d.Removed = append(d.Removed, was)
		case !is.same(was):
			d.Moved = append(d.Moved, moved{name, was.Digest, is.Digest})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(young)) {
		if _, ok := old[name]; !ok {
			d.Added = append(d.Added, young[name])
		}
	}
	return d
}

func byName(all []Name) map[string]Name {
	m := make(map[string]Name, len(all))
	for _, t := range all {
		m[t.Reference] = t
	}
	return m
}

func (d *Difference) IsEmpty() bool { return len(d.Added)+len(d.Removed)+len(d.Moved) == 0 }

// Print writes a line for each name that differs, sorted by name.
func (d *Difference) Print(w io.Writer) error {
	type line struct{ name, text string }
	var lines []line
	for _, t := range d.Added {
		lines = append(lines, line{t.Reference, "+ " + t.Reference + " " + t.Digest.String()})
	}
	for _, t := range d.Removed {
		lines = append(lines, line{t.Reference, "- " + t.Reference + " " + t.Digest.String()})
	}
	for _, m := range d.Moved {
		lines = append(lines, line{m.Reference, "~ " + m.Reference + " " + m.change()})
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.name, b.name) })
	for _, l := range lines {
		if _, err := fmt.Fprintln(w, text.Printable(l.text)); err != nil {
			return err
		}
	}
	return nil
}

func (m moved) change() string {
	if m.From == m.To {
		return m.From.String() + " with other platforms or referrers"
	}
	return m.From.String() + " -> " + m.To.String()
}

// Counts is the difference in a few words.
func (d *Difference) Counts() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{len(d.Added), "added"}, {len(d.Removed), "removed"}, {len(d.Moved), "moved"}} {
		if p.n > 0 {
			parts = append(parts, text.Thousands(p.n)+" "+p.word)
		}
	}
	return strings.Join(parts, ", ")
}
