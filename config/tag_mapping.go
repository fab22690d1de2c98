package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// TagMapping renames one tag, or every tag that a pattern matches. A pattern is a tag with one
// *, which matches at least one character; these replace the * of the target.
type TagMapping struct {
	Source string `yaml:"source"`
	Target string `yaml:"target"`
}

// Check reports the faults of the mapping while it is decoded.
func (t *TagMapping) Check(o strictyaml.Object) {
	o.Require("source")
	o.Require("target")
	if key, reason := t.fault(); reason != "" && o.Valid(key) {
		o.Fault(key, reason)
	}
}

// fault returns the key that is invalid and the reason, or "".
func (t *TagMapping) fault() (key, reason string) {
	if reason := tagPatternFault(t.Source); reason != "" {
		return "source", reason
	}
	if reason := tagPatternFault(t.Target); reason != "" {
		return "target", reason
	}
	if isTagPattern(t.Source) != isTagPattern(t.Target) {
		return "target", fmt.Sprintf("%q and %q: either both have one * or neither", t.Source, t.Target)
	}
	return "", ""
}

func isTagPattern(s string) bool { return strings.Contains(s, "*") }

func tagPatternFault(s string) string {
	switch {
	case !isTagPattern(s):
		return grammar.TagFault(s)
	case strings.Count(s, "*") > 1:
		return fmt.Sprintf("%q has more than one *", s)
	case grammar.TagFault(strings.Replace(s, "*", "x", 1)) != "":
		return fmt.Sprintf("invalid tag pattern %q: use one * with letters, digits, _ . and -, and do not start with . or -", s)
	}
	return ""
}

// checkTagMappings reports each mapping whose tags an earlier one renames.
func checkTagMappings(o strictyaml.Object, tags []TagMapping) {
	seen := make(map[string]bool)
	var patterns []TagMapping
	for i, t := range tags {
		if t.Source == "" {
			continue
		}
		covers := func(p TagMapping) bool { _, ok := p.stem(t.Source); return ok }
		if seen[t.Source] {
			o.Fault(strictyaml.Element("tags", i), fmt.Sprintf("tag %q is already renamed", t.Source))
		} else if first := slices.IndexFunc(patterns, covers); first >= 0 {
			o.Fault(strictyaml.Element("tags", i), fmt.Sprintf("tag %q is already renamed by %q", t.Source, patterns[first].Source))
		}
		seen[t.Source] = true
		if isTagPattern(t.Source) {
			patterns = append(patterns, t)
		}
	}
}

// stem returns the text that the * of the source matches in a tag or in another pattern.
func (t TagMapping) stem(tag string) (string, bool) {
	before, after, _ := strings.Cut(t.Source, "*")
	rest, begins := strings.CutPrefix(tag, before)
	stem, ends := strings.CutSuffix(rest, after)
	return stem, begins && ends && stem != ""
}

// tagRules are the tag mappings of one mapping. The first that matches wins. A map finds exact tags in
// constant time.
type tagRules struct {
	all      []TagMapping
	exact    map[string]int
	patterns []int
}

func newTagRules(all []TagMapping) tagRules {
	r := tagRules{all: all, exact: make(map[string]int, len(all))}
	for i, t := range all {
		if isTagPattern(t.Source) {
			r.patterns = append(r.patterns, i)
		} else if _, exists := r.exact[t.Source]; !exists {
			r.exact[t.Source] = i
		}
	}
	return r
}

// rename returns the name of a tag in a target.
func (r tagRules) rename(tag string) string {
	exact, ok := r.exact[tag]
	if !ok {
		exact = len(r.all)
	}
	for _, i := range r.patterns {
		if i > exact {
			break
		}
		if stem, matches := r.all[i].stem(tag); matches {
			return strings.Replace(r.all[i].Target, "*", stem, 1)
		}
	}
	if ok {
		return r.all[exact].Target
	}
	return tag
}
