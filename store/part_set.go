package store

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// onePart is a part among the inputs.
type onePart struct {
	parts.File
	path   string
	layout *archiveLayout
}

// partOf returns the part.json of a layout; nil if it is not a part.
func partOf(l Layout) *parts.File {
	if a, ok := l.(*archiveLayout); ok {
		return a.part
	}
	return nil
}

// partSet is the parts of one bundle among the inputs, in order.
type partSet struct {
	set   digest.Digest
	parts []onePart
}

// joinParts replaces the parts of a bundle among layouts by one layout of the whole. The
// faults name the parts that are missing, that belong to another bundle, or that contradict
// others; they are left out.
// Those that cannot be read are faults already.
func joinParts(all []Member, unreadable []error) (joined []Member, faults []error) {
	sets := partSets(all)
	if len(sets) == 0 {
		return all, nil
	}
	unreadable = slices.Clone(unreadable)
	for _, m := range all {
		if partOf(m.Layout) == nil {
			joined = append(joined, m)
		}
	}
	sets, foreign := splitForeign(sets)
	faults = append(faults, foreign...)
	for _, s := range sets {
		m, wrong := s.join()
		joined = append(joined, m)
		for _, err := range wrong {
			if missing, ok := errors.AsType[*MissingPartError](err); ok {
				unreadable = missing.claim(unreadable)
			}
		}
		faults = append(faults, wrong...)
	}
	return joined, append(faults, unreadable...)
}

// partSets groups the parts among layouts.
func partSets(all []Member) (sets []*partSet) {
	for _, m := range all {
		part := partOf(m.Layout)
		if part == nil {
			continue
		}
		at := slices.IndexFunc(sets, func(s *partSet) bool { return s.set == part.Set })
		if at < 0 {
			at = len(sets)
			sets = append(sets, &partSet{set: part.Set})
		}
		sets[at].parts = append(sets[at].parts, onePart{*part, m.Path, m.Layout.(*archiveLayout)})
	}
	for _, s := range sets {
		slices.SortStableFunc(s.parts, func(a, b onePart) int { return cmp.Compare(a.Part, b.Part) })
	}
	return sets
}

// missing returns the numbers of the parts that are not there.
func (s *partSet) missing() (numbers []int) {
	for number := 1; number <= s.parts[0].Parts; number++ {
		if !s.has(number) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

func (s *partSet) has(number int) bool {
	return slices.ContainsFunc(s.parts, func(p onePart) bool { return p.Part == number })
}

// rivals reports whether the parts of two bundles have the names of parts of one: a file was
// replaced, or left over from an earlier bundle.
func (s *partSet) rivals(other *partSet) bool {
	a, b := s.parts[0], other.parts[0]
	pattern := parts.PatternOf(a.path)
	return pattern != "" && pattern == parts.PatternOf(b.path) && (filepath.Dir(a.path) == filepath.Dir(b.path) ||
		!slices.ContainsFunc(s.parts, func(p onePart) bool { return other.has(p.Part) }))
}

// splitForeign takes out the parts of other bundles: of two rivals, those of the bundle that
// lacks parts, or that has fewer.
func splitForeign(sets []*partSet) (own []*partSet, faults []error) {
	slices.SortStableFunc(sets, func(a, b *partSet) int {
		return cmp.Or(cmp.Compare(min(1, len(a.missing())), min(1, len(b.missing()))), cmp.Compare(len(b.parts), len(a.parts)))
	})
	for _, s := range sets {
		at := slices.IndexFunc(own, s.rivals)
		if at < 0 || len(s.missing()) == 0 {
			own = append(own, s)
			continue
		}
		for _, p := range s.parts {
			faults = append(faults, &ForeignPartError{Path: p.path, Of: own[at].parts[0].path, Part: p.Part, Parts: p.Parts})
			_ = p.layout.Close() // it was only read
		}
	}
	return own, faults
}

// join returns the layout of a bundle.
func (s *partSet) join() (Member, []error) {
	faults := s.dropContradicting()
	for _, number := range s.missing() {
		faults = append(faults, &MissingPartError{Path: parts.Sibling(s.parts[0].path, number), Part: number, Parts: s.parts[0].Parts})
	}
	u := &Union{index: s.parts[0].layout.index}
	for i, p := range s.parts {
		if i > 0 { // they have the same index.json
			p.layout.index = new(oci.Index)
		}
		u.inputs = append(u.inputs, member{Layout: namedLayout{p.layout, p.path}, path: p.path})
	}
	pieces, overlaps := newPieces(s.parts)
	if u.inputs = append(u.inputs, member{Layout: pieces, path: s.path()}); len(s.missing()) > 0 {
		u.lacks = &LackingPartsError{Numbers: s.missing(), Parts: s.parts[0].Parts}
	}
	return Member{s.path(), u}, append(faults, overlaps...)
}

// path returns a name for all parts.
func (s *partSet) path() string {
	if pattern := parts.PatternOf(s.parts[0].path); pattern != "" {
		return filepath.Join(filepath.Dir(s.parts[0].path), pattern)
	}
	return s.parts[0].path
}

// dropContradicting takes out the parts that say something else about the bundle than most: of
// two halves, than the first.
func (s *partSet) dropContradicting() (faults []error) {
	type claim struct {
		parts int
		index digest.Digest
	}
	of := func(p onePart) claim { return claim{p.Parts, p.layout.indexDigest} }
	votes := make(map[claim]int)
	for _, p := range s.parts {
		votes[of(p)]++
	}
	right := s.parts[0]
	for _, p := range s.parts {
		if votes[of(p)] > votes[of(right)] {
			right = p
		}
	}
	s.parts = slices.DeleteFunc(s.parts, func(p onePart) bool {
		if of(p) == of(right) {
			return false
		}
		reason := "it has another index.json"
		if p.Parts != right.Parts {
			reason = fmt.Sprintf("it is one of %d parts, not of %d", p.Parts, right.Parts)
		}
		faults = append(faults, &ContradictionError{Path: p.path, Other: right.path, Reason: reason})
		_ = p.layout.Close() // it was only read
		return true
	})
	return faults
}
