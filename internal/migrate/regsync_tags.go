package migrate

import (
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/filter"
)

// tagSet are tags that a step selects.
type tagSet struct {
	tags   filter.Tags
	unsaid string
}

func (s tagSet) isAll() bool {
	return len(tagFields(s.tags)) == 0 && s.unsaid == ""
}

// regsyncTags reads the sets of tags of a step; all tags are one set.
func (r *reader) regsyncTags(o *object) []tagSet {
	var sets []tagSet
	for _, set := range o.objects("tagSets") {
		sets = append(sets, r.regsyncSet(set))
	}
	if one := r.regsyncSet(o.child("tags")); len(sets) == 0 || !one.isAll() {
		sets = append(sets, one)
	}
	return sets
}

func (r *reader) regsyncSet(o *object) tagSet {
	var set tagSet
	allow, deny, ranges := o.texts("allow"), o.texts("deny"), o.texts("semverRange")
	o.end()
	set.tags.Semver = strings.Join(values(ranges), " || ")
	if err := checkConstraint(set.tags.Semver); err != nil {
		o.note("semverRange", "%v", err)
		set.unsaid = "the filter of the tags is invalid"
	}
	if err := allowTags(&set.tags, values(allow)); err != nil {
		o.note("allow", "%v", err)
		set.unsaid = "the filter of the tags is invalid"
	}
	for i, d := range deny {
		found, ok := globs("^" + d.value + "$")
		if !ok {
			set.unsaid = fmt.Sprintf("no glob matches the same as deny %s: list the tags, or exclude more", d.value)
			r.note(d.line, fmt.Sprintf("%s[%d]", o.pathOf("deny"), i), "%s", set.unsaid)
			continue
		}
		set.tags.Exclude = append(set.tags.Exclude, found...)
	}
	return set
}

// allowTags selects the tags that one of some expressions matches. regsync adds ^ and $ to the
// text of each.
func allowTags(tags *filter.Tags, allow []string) error {
	var include, whole []string
	same := true
	for _, a := range allow {
		expr, err := wholeTag("^" + a + "$")
		if err != nil {
			return err
		}
		found, ok := globs("^" + a + "$")
		include, same = append(include, found...), same && ok
		whole = append(whole, expr)
	}
	switch {
	case len(allow) == 0:
	case same:
		tags.Include = include
	case len(whole) == 1:
		tags.Regex = whole[0]
	default:
		tags.Regex = "(?:" + strings.Join(whole, ")|(?:") + ")"
	}
	return nil
}

// repositoryGlobs returns the globs of repositories that match the same as the expressions of
// a key, or why there are none.
func (r *reader) repositoryGlobs(o *object, key string) (all []string, unsaid string) {
	for i, t := range o.texts(key) {
		glob, ok := repositoryGlob(t.value)
		if !ok {
			unsaid = fmt.Sprintf("no glob matches the same repositories as %s", t.value)
			r.note(t.line, fmt.Sprintf("%s[%d]", o.pathOf(key), i), "%s", unsaid)
			continue
		}
		all = append(all, glob)
	}
	return all, unsaid
}

// repositoryGlob returns the glob of an expression for whole names of repositories: in those a
// "*" of a glob matches no slash. ** stands for any number of parts, none too.
func repositoryGlob(expr string) (string, bool) {
	if expr == ".*" || expr == ".+" {
		return "**", true
	}
	base, below := strings.CutSuffix(expr, "/.*")
	if !below {
		base, below = strings.CutSuffix(expr, "/.+")
	}
	found, ok := globs("^" + base + "$")
	if !ok || len(found) != 1 || strings.ContainsAny(found[0], "*?[") {
		return "", false
	}
	if below {
		return found[0] + "/*/**", true
	}
	return found[0], true
}
