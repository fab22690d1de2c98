package filter

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Sort says which tags are the newest where they are no versions.
type Sort struct {
	Pattern string `yaml:"pattern"` // RE2 that matches the whole tag; its groups are the key, compared one after the other
	By      string `yaml:"by"`      // how a group is compared: OrderNumber, OrderDate or OrderText
}

// The orders of [Sort.By].
const (
	OrderNumber = "number"
	OrderDate   = "date"
	OrderText   = "text"
)

// Check reports the faults of the order while it is decoded.
func (s *Sort) Check(o strictyaml.Object) {
	for _, key := range []string{"pattern", "by"} {
		o.Require(key)
	}
	o.Choice("by", s.By, OrderNumber, OrderDate, OrderText)
	if !o.Valid("pattern") {
		return
	}
	pattern, err := grammar.CompileAnchored(s.Pattern)
	switch {
	case err != nil:
		o.Error("pattern", err)
	case pattern.NumSubexp() == 0:
		o.Fault("pattern", fmt.Sprintf(`%q has no group: put the part to sort by in parentheses, as in 'build-(\d+)'`, s.Pattern))
	case s.By == OrderDate && pattern.NumSubexp() > 1:
		o.Fault("pattern", fmt.Sprintf("%q has %d groups; a date needs one", s.Pattern, pattern.NumSubexp()))
	}
}

// tagSorter is the compiled form of Sort.
type tagSorter struct {
	pattern *regexp.Regexp
	by      string
}

func (s *Sort) sorter() (tagSorter, error) {
	pattern, err := grammar.CompileAnchored(s.Pattern)
	if err == nil && pattern.NumSubexp() == 0 {
		err = errors.New("the pattern has no group")
	}
	return tagSorter{pattern, s.By}, err
}

// key returns the groups of a tag in a form that sorts as text; ok is false if the tag does not
// match, or a group is not what By says. A group that takes no part in the match is less than
// any other.
func (s tagSorter) key(tag string) (key []string, ok bool) {
	groups := s.pattern.FindStringSubmatch(tag)
	if groups == nil {
		return nil, false
	}
	for _, group := range groups[1:] {
		part, ok := group, true
		switch {
		case group == "":
		case s.by == OrderNumber:
			part, ok = numberKey(group)
		case s.by == OrderDate:
			part, ok = dateKey(group)
		}
		if !ok {
			return nil, false
		}
		key = append(key, part)
	}
	return key, slices.ContainsFunc(key, func(part string) bool { return part != "" })
}

// sorted returns the tags that have a key, in the order of their keys, and by text where those
// are equal.
func (s tagSorter) sorted(tags []string) []string {
	keys := make(map[string][]string, len(tags))
	kept := make([]string, 0, len(tags))
	for _, tag := range tags {
		if key, ok := s.key(tag); ok {
			keys[tag] = key
			kept = append(kept, tag)
		}
	}
	slices.SortFunc(kept, func(a, b string) int {
		return cmp.Or(slices.Compare(keys[a], keys[b]), strings.Compare(a, b))
	})
	return kept
}

var number = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

// numberKey returns a decimal number of any size in a form that sorts as text: a tag has at
// most 128 characters.
func numberKey(s string) (string, bool) {
	if !number.MatchString(s) {
		return "", false
	}
	whole, fraction, _ := strings.Cut(s, ".")
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	return fmt.Sprintf("%03d%s.%s", len(whole), whole, fraction), true
}
