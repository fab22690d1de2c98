package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"github.com/Masterminds/semver/v3"
	"github.com/bmatcuk/doublestar/v4"
)

// NeedsList says that the registry's tag list is needed. Where it is not,
// Select(nil) gives the tags.
func (t Tags) NeedsList() bool {
	if len(t.Names) == 0 || t.filters() {
		return true
	}
	left := t.leave(slices.Clone(t.Names))
	if t.Latest == 0 || t.Latest >= len(left) {
		return false
	}
	_, versions := parseVersions(left)
	return !versions
}

// Select returns the selected tags, sorted by bytes. All is what the registry
// lists, in its order: by that order the newest are found, as the last, where a
// tag among those that are left is no version. Tags that stand for referrers
// are left out unless they are named.
func (t Tags) Select(all []string) ([]string, error) {
	selected, err := t.candidates(all)
	if err != nil {
		return nil, err
	}
	if t.Latest > 0 && t.Latest < len(selected) {
		selected = newest(selected, all, t.Latest)
		slices.Sort(selected)
	}
	return selected, nil
}

// What [Tags.Order] says.
const (
	OrderSemver = "semver"
	OrderList   = "list"
)

// Order returns by which order Select finds the newest: [OrderSemver] where all
// that are left are versions, else [OrderList], the order of all. It is "" where
// Latest drops nothing, so that no order is needed.
func (t Tags) Order(all []string) string {
	left, err := t.candidates(all)
	if err != nil || t.Latest == 0 || t.Latest >= len(left) {
		return ""
	}
	if _, ok := parseVersions(left); ok {
		return OrderSemver
	}
	return OrderList
}

// candidates returns what is selected before Latest counts, sorted by bytes.
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
	return t.leave(slices.Compact(found)), nil
}

func (t Tags) filters() bool {
	return len(t.Include) > 0 || t.Regex != "" || t.Semver != ""
}

// leave drops what Exclude matches.
func (t Tags) leave(tags []string) []string {
	return slices.DeleteFunc(tags, func(tag string) bool { return anyGlob(t.Exclude, tag) })
}

// matcher is the bracket of the pipeline, compiled.
type matcher struct {
	none       bool // names decide alone
	include    []string
	regex      *regexp.Regexp
	constraint *semver.Constraints
}

func (t Tags) matcher() (matcher, error) {
	m := matcher{none: len(t.Names) > 0 && !t.filters(), include: t.Include}
	for _, glob := range slices.Concat(t.Include, t.Exclude) {
		if !doublestar.ValidatePattern(glob) {
			return m, fmt.Errorf("invalid glob %q", glob)
		}
	}
	var err error
	if t.Regex != "" {
		if m.regex, err = compileAnchored(t.Regex); err != nil {
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

// newest returns the n newest of tags, which are sorted by bytes: by version if
// each is one, else the last in the registry's list.
func newest(tags, list []string, n int) []string {
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

// parseVersions returns false if one of the tags is no version.
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
