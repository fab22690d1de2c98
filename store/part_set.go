package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// MissingPartError reports a part of a bundle that is not among the inputs.
type MissingPartError struct {
	Path  string // where it would be; "" if the names of the others do not tell
	Part  int
	Parts int         // of the bundle
	Err   *InputError // why it cannot be read; nil if it is not there
}

func (e *MissingPartError) Error() string {
	text := fmt.Sprintf("part %d of %d ", e.Part, e.Parts)
	if e.Path != "" {
		text = e.Path + ": " + text
	}
	if e.Err != nil && !isNotExist(e.Err) {
		return text + "cannot be read: " + e.Err.Reason
	}
	return text + "is missing"
}

func (e *MissingPartError) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	return e.Err
}

// LackingPartsError reports a blob that the parts at hand lack.
type LackingPartsError struct {
	Numbers []int // of the missing parts
	Parts   int   // of the bundle
}

func (e *LackingPartsError) Error() string {
	return fmt.Sprintf("missing: it is in part %s of %d", joinNumbers(e.Numbers), e.Parts)
}

// joinNumbers returns "1, 2 or 3".
func joinNumbers(numbers []int) string {
	var b strings.Builder
	for i, n := range numbers {
		switch {
		case i > 0 && i == len(numbers)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprint(&b, n)
	}
	return b.String()
}

// Is makes errors.Is(err, fs.ErrNotExist) true.
func (*LackingPartsError) Is(target error) bool { return target == fs.ErrNotExist }

// Faults returns what is wrong with the inputs that were opened as one: parts of a bundle that
// are missing, cannot be read or belong to another bundle. The layout lacks their blobs. Those of
// a stream are known when it was read.
func Faults(in Input) []error {
	switch in := in.(type) {
	case *Union:
		return in.faults
	case *Stream:
		return in.lacking()
	}
	return nil
}

// addFaults adds faults to a layout of parts, or of which parts are one.
func addFaults(l Layout, faults []error) Layout {
	if u, ok := l.(*Union); ok {
		u.faults = faults
	}
	return l
}

// ForeignPartError reports a part of another bundle among the parts of one.
type ForeignPartError struct {
	Path  string
	Of    string // a part of the bundle
	Part  int
	Parts int
}

func (e *ForeignPartError) Error() string {
	return fmt.Sprintf("%s: part %d of %d of another bundle than %s", e.Path, e.Part, e.Parts, e.Of)
}

// ContradictionError reports a part that contradicts another part of the same bundle.
type ContradictionError struct {
	Path   string
	Other  string
	Reason string
}

func (e *ContradictionError) Error() string {
	return fmt.Sprintf("%s: contradicts %s: %s", e.Path, e.Other, e.Reason)
}

// onePart is a part among the inputs.
type onePart struct {
	partFile
	path   string
	layout *archiveLayout
}

// pattern returns the name of the file without its folder, with * instead of its number.
func (p onePart) pattern() string {
	name := filepath.Base(p.path)
	at := partNumber.FindAllStringIndex(name, -1)
	if at == nil {
		return ""
	}
	last := at[len(at)-1]
	return name[:last[0]] + ".*" + name[last[0]+len(".000"):]
}

// partNumber finds the number in the name of a part.
var partNumber = regexp.MustCompile(`\.[0-9]{3}\b`)

// sibling returns the path of another part of the bundle; "" if it is unknown.
func (p onePart) sibling(number int) string {
	pattern := p.pattern()
	if pattern == "" {
		return ""
	}
	at := strings.LastIndex(pattern, "*")
	return filepath.Join(filepath.Dir(p.path), fmt.Sprintf("%s%03d%s", pattern[:at], number, pattern[at+1:]))
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

// claim makes the error of a part that cannot be read the reason why the part is missing.
func (e *MissingPartError) claim(unreadable []error) (left []error) {
	return slices.DeleteFunc(unreadable, func(err error) bool {
		input, ok := errors.AsType[*InputError](err)
		if !ok || e.Path == "" || filepath.Clean(input.Path) != e.Path {
			return false
		}
		e.Err = input
		return true
	})
}

// shareHead frees the memory for what a part has in common with one that was opened before.
func shareHead(all []Member, l Layout) {
	part := partOf(l)
	if part == nil {
		return
	}
	for _, m := range all {
		other := partOf(m.Layout)
		if other == nil || other.Set != part.Set {
			continue
		}
		l, first := l.(*archiveLayout), m.Layout.(*archiveLayout)
		l.reader.ShareHead(first.reader)
		if l.indexDigest == first.indexDigest {
			l.index.release()
			l.index = first.index
		}
		return
	}
}

// partOf returns the part.json of a layout; nil if it is not a part.
func partOf(l Layout) *partFile {
	if a, ok := l.(*archiveLayout); ok {
		return a.part
	}
	return nil
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
	return a.pattern() != "" && a.pattern() == b.pattern() && (filepath.Dir(a.path) == filepath.Dir(b.path) ||
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
		faults = append(faults, &MissingPartError{Path: s.parts[0].sibling(number), Part: number, Parts: s.parts[0].Parts})
	}
	u := &Union{index: s.parts[0].layout.index}
	for i, p := range s.parts {
		if i > 0 { // they have the same index.json
			p.layout.index = new(Index)
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
	if pattern := s.parts[0].pattern(); pattern != "" {
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
