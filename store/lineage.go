package store

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// noRoots identifies an index without artifacts, which is the base of nothing.
var noRoots = new(oci.Index).RootsDigest(nil)

// lineage says which of several layouts are bases of others.
type lineage struct {
	bases    [][]int        // of each, those among the layouts
	replaced []bool         // a delta names it, directly or through another delta
	lacks    [][]absentBase // of each, those that it names
	absent   []absentBase
	lists    []digest.Digest // of all deltas; none if no base is absent
}

// absentBase is a base that is not among the layouts.
type absentBase struct {
	roots digest.Digest
	name  string
	delta int // the first that names it
}

// Replaced reports which of several layouts are the bases of deltas among them, and only lend
// their blobs.
func Replaced(all []*oci.Index) []bool { return newLineage(all).replaced }

func newLineage(all []*oci.Index) *lineage {
	l := &lineage{bases: make([][]int, len(all)), replaced: make([]bool, len(all)), lacks: make([][]absentBase, len(all))}
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
			if len(found) == 0 && base != noRoots {
				l.addAbsent(absentBase{base, wordAt(names, n), i})
				l.lacks[i] = append(l.lacks[i], absentBase{base, wordAt(names, n), i})
			}
		}
	}
	for i := range all {
		for j := range all {
			// A delta that changed no name has the roots of its base, and two such deltas name
			// each other: then none of these replaces the other.
			if i != j && l.descends(j, i) && !l.descends(i, j) {
				l.replaced[i] = true
			}
		}
	}
	l.addLists(all)
	return l
}

// findBases returns the layouts that a delta calls a base. A registry as a base counts with the
// names that the delta has, so a copy of it may have others.
func findBases(all []*oci.Index, roots []digest.Digest, delta int, base digest.Digest) (found []int) {
	if base == noRoots {
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

func (l *lineage) addAbsent(base absentBase) {
	if !slices.ContainsFunc(l.absent, func(b absentBase) bool { return b.roots == base.roots }) {
		l.absent = append(l.absent, base)
	}
}

// addLists notes what all deltas have together, if they leave something to an absent base.
func (l *lineage) addLists(all []*oci.Index) {
	if len(l.absent) == 0 {
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

// descends reports whether a layout names another one as its base, directly or through others.
func (l *lineage) descends(from, to int) bool {
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

// gaps lists the absent bases of one of two layouts, or of those that it descends from, which are
// no bases of the other one.
func (l *lineage) gaps(i, j int) []absentBase {
	a, b := l.lackedBelow(i), l.lackedBelow(j)
	return append(notIn(b, a), notIn(a, b)...)
}

// lackedBelow lists the absent bases of a layout and of those that it descends from.
func (l *lineage) lackedBelow(i int) (all []absentBase) {
	for j, lacks := range l.lacks {
		if j == i || l.descends(i, j) {
			all = append(all, lacks...)
		}
	}
	return all
}

// notIn returns those of some bases that are not among others.
func notIn(others, some []absentBase) []absentBase {
	return slices.DeleteFunc(slices.Clone(some), func(base absentBase) bool {
		return slices.ContainsFunc(others, func(other absentBase) bool { return other.roots == base.roots })
	})
}

// annotate gives an index the annotations of a delta whose base is absent, or none.
func (l *lineage) annotate(x *oci.Index) {
	var roots, names []string
	for _, base := range l.absent {
		roots, names = append(roots, string(base.roots)), append(names, base.name)
	}
	x.Annotate(map[string]string{
		oci.AnnotationBase:     strings.Join(roots, ","),
		oci.AnnotationBaseName: strings.Join(names, ","),
		oci.AnnotationDelta:    strings.Join(texts(l.lists), ","),
	})
}
