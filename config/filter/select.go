package filter

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"github.com/Masterminds/semver/v3"
	"github.com/bmatcuk/doublestar/v4"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
)

// NeedsList reports whether Select needs the tags that the registry lists. If not, Select(nil)
// returns the tags.
func (t Tags) NeedsList() bool {
	if len(t.Names) == 0 || t.narrows() {
		return true
	}
	left := t.withoutExcluded(slices.Clone(t.Names))
	if t.Latest == 0 || t.Latest >= len(left) || t.Sort != nil {
		return false
	}
	_, versions := parseVersions(left)
	return !versions
}

// Select returns the selected tags, sorted by bytes. all holds the tags that the registry
// lists, in its order: the newest tags are the last in that order, unless all candidates are
// versions, or Sort says otherwise. Select omits tags that hold referrers, except those in Names.
func (t Tags) Select(all []string) ([]string, error) {
	return t.SelectAmong(all, func(string) bool { return true })
}

// SelectAmong selects like Select among the tags that may be selected: Latest does not count the
// others.
func (t Tags) SelectAmong(all []string, may func(tag string) bool) ([]string, error) {
	selected, err := t.candidates(all)
	if err != nil {
		return nil, err
	}
	selected = slices.DeleteFunc(selected, func(tag string) bool { return !may(tag) })
	if t.Latest > 0 && t.Latest < len(selected) {
		selected = t.newest(selected, all)
	}
	slices.Sort(selected)
	return selected, nil
}

// The results of [Tags.Order], in addition to those of Sort.
const (
	OrderSemver = "semver"
	OrderList   = "list"
)

// Order returns the order by which Select finds the newest tags: that of Sort, or [OrderSemver]
// if all candidates are versions, or else [OrderList], the order of all. It returns "" if Latest
// drops nothing, so that no order is needed.
func (t Tags) Order(all []string) string {
	left, err := t.candidates(all)
	if err != nil || t.Latest == 0 || t.Latest >= len(left) {
		return ""
	}
	if t.Sort != nil {
		return t.Sort.By
	}
	if _, ok := parseVersions(left); ok {
		return OrderSemver
	}
	return OrderList
}

// candidates returns the tags from which Latest selects, in the order of Sort, else by bytes.
func (t Tags) candidates(all []string) ([]string, error) {
	m, err := t.matcher()
	if err != nil {
		return nil, err
	}
	found := slices.Clone(t.Names)
	for _, tag := range all {
		if m.match(tag) && !IsReferrersTag(tag) {
			found = append(found, tag)
		}
	}
	slices.Sort(found)
	found = t.withoutExcluded(slices.Compact(found))
	if t.Sort == nil {
		return found, nil
	}
	s, err := t.Sort.sorter()
	if err != nil {
		return nil, err
	}
	return s.sorted(found), nil
}

// narrows reports whether Include, Regex or Semver is set.
func (t Tags) narrows() bool {
	return len(t.Include) > 0 || t.Regex != "" || t.Semver != ""
}

// withoutExcluded removes the tags that Exclude matches.
func (t Tags) withoutExcluded(tags []string) []string {
	return slices.DeleteFunc(tags, func(tag string) bool { return anyGlob(t.Exclude, tag) })
}

// matcher is the compiled form of Include, Regex and Semver.
type matcher struct {
	none       bool // matches nothing: Names are the only selection
	include    []string
	regex      *regexp.Regexp
	constraint *semver.Constraints
}

func (t Tags) matcher() (matcher, error) {
	m := matcher{none: len(t.Names) > 0 && !t.narrows(), include: t.Include}
	for _, glob := range slices.Concat(t.Include, t.Exclude) {
		if !doublestar.ValidatePattern(glob) {
			return m, fmt.Errorf("invalid glob %q", glob)
		}
	}
	var err error
	if t.Regex != "" {
		if m.regex, err = grammar.CompileAnchored(t.Regex); err != nil {
			return m, err
		}
	}
	if t.Semver != "" {
		if m.constraint, err = semver.NewConstraint(t.Semver); err != nil {
			return m, fmt.Errorf("invalid version constraint %q", t.Semver)
		}
	}
	return m, nil
}

func (m matcher) match(tag string) bool {
	if m.none {
		return false
	}
	if len(m.include) > 0 && !anyGlob(m.include, tag) {
		return false
	}
	if m.regex != nil && !m.regex.MatchString(tag) {
		return false
	}
	if m.constraint == nil {
		return true
	}
	v, err := semver.NewVersion(tag)
	return err == nil && m.constraint.Check(v)
}

// newest returns the newest of the candidates: the last if Sort has sorted them, else by version
// if each is a version, else the last of them in the list of the registry.
func (t Tags) newest(tags, list []string) []string {
	n := t.Latest
	if t.Sort != nil {
		return tags[len(tags)-n:]
	}
	if versions, ok := parseVersions(tags); ok {
		slices.SortStableFunc(versions, (*semver.Version).Compare)
		tags = tags[:0]
		for _, v := range versions {
			tags = append(tags, v.Original())
		}
		return tags[len(tags)-n:]
	}
	position := make(map[string]int, len(list))
	for i, tag := range list {
		position[tag] = i + 1
	}
	slices.SortStableFunc(tags, func(a, b string) int { return cmp.Compare(position[a], position[b]) })
	return tags[len(tags)-n:]
}

// parseVersions returns the versions of tags, or false if a tag is not a version.
func parseVersions(tags []string) ([]*semver.Version, bool) {
	versions := make([]*semver.Version, len(tags))
	for i, tag := range tags {
		v, err := semver.NewVersion(tag)
		if err != nil {
			return nil, false
		}
		versions[i] = v
	}
	return versions, true
}
