package delta

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// NoRoots identifies an index without artifacts, which is the base of nothing.
var NoRoots = new(oci.Index).RootsDigest(nil)

// Lineage says which of several layouts are bases of others.
type Lineage struct {
	Replaced []bool       // of each layout: a delta names it, directly or through another delta
	Absent   []AbsentBase // of all layouts, each base once

	bases [][]int         // of each layout, those among the others
	lacks [][]AbsentBase  // of each layout, those that it names
	lists []digest.Digest // of all deltas; none if no base is absent
}

// AbsentBase is a base that is not among the layouts.
type AbsentBase struct {
	Roots digest.Digest
	Name  string
	Delta int // the first that names it
}

// Replaced reports which of several layouts are the bases of deltas among them, and only lend
// their blobs.
func Replaced(all []*oci.Index) []bool { return NewLineage(all).Replaced }

// NewLineage finds out which of several layouts, by their indexes, are bases of others.
func NewLineage(all []*oci.Index) *Lineage {
	l := &Lineage{bases: make([][]int, len(all)), Replaced: make([]bool, len(all)), lacks: make([][]AbsentBase, len(all))}
	if !slices.ContainsFunc(all, (*oci.Index).IsDelta) {
		return l
	}
	roots := make([]digest.Digest, len(all))
	for i, x := range all {
		roots[i] = x.RootsDigest(nil)
	}
	for i, x := range all {
		names := x.BaseNames()
		for n, base := range x.Bases() {
			found := findBases(all, roots, i, base)
			l.bases[i] = append(l.bases[i], found...)
			if len(found) == 0 && base != NoRoots {
				l.addAbsent(AbsentBase{base, wordAt(names, n), i})
				l.lacks[i] = append(l.lacks[i], AbsentBase{base, wordAt(names, n), i})
			}
		}
	}
	for i := range all {
		for j := range all {
			// A delta that changed no name has the roots of its base, and two such deltas name
			// each other: then none of these replaces the other.
			if i != j && l.Descends(j, i) && !l.Descends(i, j) {
				l.Replaced[i] = true
			}
		}
	}
	l.addLists(all)
	return l
}

// findBases returns the layouts that a delta calls a base. A registry as a base counts with the
// names that the delta has, so a copy of it may have others.
func findBases(all []*oci.Index, roots []digest.Digest, delta int, base digest.Digest) (found []int) {
	if base == NoRoots {
		return nil
	}
	hasName := func(name string) bool { _, has := all[delta].Lookup(name); return has }
	for j, x := range all {
		if j == delta {
			continue
		}
		if roots[j] == base || x.RootsDigest(hasName) == base {
			found = append(found, j)
		}
	}
	return found
}

// wordAt returns the n-th word; "" if there are fewer.
func wordAt(words []string, n int) string {
	if n < len(words) {
		return words[n]
	}
	return ""
}

func (l *Lineage) addAbsent(base AbsentBase) {
	if !slices.ContainsFunc(l.Absent, func(b AbsentBase) bool { return b.Roots == base.Roots }) {
		l.Absent = append(l.Absent, base)
	}
}

// addLists notes what all deltas have together, if they leave something to an absent base.
func (l *Lineage) addLists(all []*oci.Index) {
	if len(l.Absent) == 0 {
		return
	}
	for _, x := range all {
		for _, list := range x.DeltaLists() {
			if !slices.Contains(l.lists, list) {
				l.lists = append(l.lists, list)
			}
		}
	}
}

// Descends reports whether a layout names another one as its base, directly or through others.
func (l *Lineage) Descends(from, to int) bool {
	seen := make([]bool, len(l.bases))
	var reaches func(i int) bool
	reaches = func(i int) bool {
		if seen[i] {
			return false
		}
		seen[i] = true
		return slices.ContainsFunc(l.bases[i], func(j int) bool { return j == to || reaches(j) })
	}
	return reaches(from)
}

// Gaps lists the absent bases of one of two layouts, or of those that it descends from, which are
// no bases of the other one.
func (l *Lineage) Gaps(i, j int) []AbsentBase {
	a, b := l.lackedBelow(i), l.lackedBelow(j)
	return append(notIn(b, a), notIn(a, b)...)
}

// lackedBelow lists the absent bases of a layout and of those that it descends from.
func (l *Lineage) lackedBelow(i int) (all []AbsentBase) {
	for j, lacks := range l.lacks {
		if j == i || l.Descends(i, j) {
			all = append(all, lacks...)
		}
	}
	return all
}

// notIn returns those of some bases that are not among others.
func notIn(others, some []AbsentBase) []AbsentBase {
	return slices.DeleteFunc(slices.Clone(some), func(base AbsentBase) bool {
		return slices.ContainsFunc(others, func(other AbsentBase) bool { return other.Roots == base.Roots })
	})
}

// Annotate gives an index the annotations of a delta whose base is absent, or none.
func (l *Lineage) Annotate(x *oci.Index) {
	var roots, names []string
	for _, base := range l.Absent {
		roots, names = append(roots, string(base.Roots)), append(names, base.Name)
	}
	x.Annotate(map[string]string{
		oci.AnnotationBase:     strings.Join(roots, ","),
		oci.AnnotationBaseName: strings.Join(names, ","),
		oci.AnnotationDelta:    strings.Join(texts(l.lists), ","),
	})
}
