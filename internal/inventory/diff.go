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

// Difference is the result of Diff. Each list is sorted by reference.
type Difference struct {
	Added   []Name    `json:"added"`
	Removed []Name    `json:"removed"`
	Changed []changed `json:"changed"`
}

// changed is a name that points to another manifest. If both digests are the same, its
// referrers, platforms or signers differ.
type changed struct {
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`
	Previous  digest.Digest `json:"previousDigest"`
	signers   string        // how they changed; "" if they did not
}

// Diff returns the difference that turns the names before into those after.
func Diff(before, after []Name) *Difference {
	old, current := byName(before), byName(after)
	d := &Difference{Added: []Name{}, Removed: []Name{}, Changed: []changed{}}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		was := old[name]
		is, ok := current[name]
		switch {
		case !ok:
			d.Removed = append(d.Removed, was)
		case !is.isSame(was):
			d.Changed = append(d.Changed, changed{name, is.Digest, was.Digest, changedSigners(was, is)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(current)) {
		if _, ok := old[name]; !ok {
			d.Added = append(d.Added, current[name])
		}
	}
	return d
}

// changedSigners says how the signers of an artifact changed; "" if they did not. A signature
// is a referrer, so that other signers are mostly seen with other referrers.
func changedSigners(was, is Name) string {
	if was.SignedBy == is.SignedBy {
		return ""
	}
	return " signed by " + cmp.Or(is.SignedBy, "none") + ", was " + cmp.Or(was.SignedBy, "none")
}

func byName(all []Name) map[string]Name {
	m := make(map[string]Name, len(all))
	for _, t := range all {
		m[t.Reference] = t
	}
	return m
}

// IsEmpty reports whether there is no difference.
func (d *Difference) IsEmpty() bool { return len(d.Added)+len(d.Removed)+len(d.Changed) == 0 }

// Print writes a line for each name that differs, sorted by reference.
func (d *Difference) Print(w io.Writer) error {
	type line struct{ name, text string }
	var lines []line
	for _, t := range d.Added {
		lines = append(lines, line{t.Reference, "+ " + t.Reference + " " + t.Digest.String()})
	}
	for _, t := range d.Removed {
		lines = append(lines, line{t.Reference, "- " + t.Reference + " " + t.Digest.String()})
	}
	for _, m := range d.Changed {
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

func (m changed) change() string {
	switch {
	case m.Previous != m.Digest:
		return m.Previous.String() + " -> " + m.Digest.String() + m.signers
	case m.signers != "":
		return m.Previous.String() + m.signers
	}
	return m.Previous.String() + " with other platforms or referrers"
}

// Counts returns the length of each list in words: "1 added, 2 changed".
func (d *Difference) Counts() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{len(d.Added), "added"}, {len(d.Removed), "removed"}, {len(d.Changed), "changed"}} {
		if p.n > 0 {
			parts = append(parts, text.Thousands(p.n)+" "+p.word)
		}
	}
	return strings.Join(parts, ", ")
}
