package migrate

import (
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
)

// tagSet are tags that a step selects.
type tagSet struct {
	tags   filter.Tags
	unsaid string
}

// isAll reports whether the set is all tags.
func (s tagSet) isAll() bool {
	t := s.tags
	return len(t.Include) == 0 && len(t.Exclude) == 0 && t.Regex == "" && t.Semver == "" && s.unsaid == ""
}

// regsyncTags reads the sets of tags of a step; all tags are one set.
func (r *reader) regsyncTags(o *document.Object) []tagSet {
	var sets []tagSet
	for _, set := range o.Objects("tagSets") {
		sets = append(sets, r.regsyncSet(set))
	}
	if one := r.regsyncSet(o.Child("tags")); len(sets) == 0 || !one.isAll() {
		sets = append(sets, one)
	}
	return sets
}

func (r *reader) regsyncSet(o *document.Object) tagSet {
	var set tagSet
	allow, deny, ranges := o.Texts("allow"), o.Texts("deny"), o.Texts("semverRange")
	o.End()
	set.tags.Semver = strings.Join(document.Values(ranges), " || ")
	if err := checkConstraint(set.tags.Semver); err != nil {
		o.Note("semverRange", "%v", err)
		set.unsaid = "the filter of the tags is invalid"
	}
	if err := allowTags(&set.tags, document.Values(allow)); err != nil {
		o.Note("allow", "%v", err)
		set.unsaid = "the filter of the tags is invalid"
	}
	for i, d := range deny {
		found, ok := globs("^" + d.Value + "$")
		if !ok {
			set.unsaid = fmt.Sprintf("no glob matches the same as deny %s: list the tags, or exclude more", d.Value)
			r.Note(d.Line, fmt.Sprintf("%s[%d]", o.PathOf("deny"), i), "%s", set.unsaid)
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
func (r *reader) repositoryGlobs(o *document.Object, key string) (all []string, unsaid string) {
	for i, t := range o.Texts(key) {
		glob, ok := repositoryGlob(t.Value)
		if !ok {
			unsaid = fmt.Sprintf("no glob matches the same repositories as %s", t.Value)
			r.Note(t.Line, fmt.Sprintf("%s[%d]", o.PathOf(key), i), "%s", unsaid)
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
