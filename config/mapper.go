package config

import (
	"fmt"
	"slices"

	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
)

// Mapper returns the names of repositories and tags in a target. It is safe for concurrent use.
type Mapper struct {
	rules []rule
}

// MappingError reports a reference that is mapped to an invalid name.
type MappingError struct {
	Reference string
	Mapping   string // source of the mapping; "" if none matched
	Target    string // the invalid name
	Reason    string
}

func (e *MappingError) Error() string {
	if e.Mapping == "" {
		return fmt.Sprintf("%s: target %q: %s", e.Reference, e.Target, e.Reason)
	}
	return fmt.Sprintf("%s: mapping %s gives %q: %s", e.Reference, e.Mapping, e.Target, e.Reason)
}

// NewMapper returns a mapper that uses the first mapping that matches. Where none does, it
// keeps the path of the repository and drops the registry.
func NewMapper(mappings []Mapping) (*Mapper, error) {
	m := &Mapper{rules: make([]rule, len(mappings))}
	for i := range mappings {
		r, faults := mappings[i].compile()
		if len(faults) > 0 {
			return nil, fmt.Errorf("mapping %s: %w", mappings[i].source(), faults[0])
		}
		m.rules[i] = r
	}
	return m, nil
}

// Prepend returns a mapper that tries other mappings first, such as those of a command line.
// It is an error if one of these is never reached because of another.
func (m *Mapper) Prepend(first ...Mapping) (*Mapper, error) {
	earlier := make(coverage)
	for i := range first {
		if by, ok := earlier.add(&first[i], i); ok {
			return nil, &ReferenceError{Reference: first[i].source(), Reason: "already mapped by " + first[by].source()}
		}
	}
	more, err := NewMapper(first)
	if err != nil {
		return nil, err
	}
	for i := range more.rules {
		more.rules[i].added = true
	}
	return &Mapper{rules: slices.Concat(more.rules, m.rules)}, nil
}

// RenamesTags reports whether a mapping renames tags.
func (m *Mapper) RenamesTags() bool {
	return slices.ContainsFunc(m.rules, func(r rule) bool { return len(r.mapping.Tags) > 0 })
}

// Unmatched returns the sources of the mappings that match none of the references, whether or
// not an earlier mapping wins. It returns those that Prepend added apart from the others.
func (m *Mapper) Unmatched(refs []Reference) (added, others []string) {
	for i := range m.rules {
		rule := &m.rules[i]
		if slices.ContainsFunc(refs, func(r Reference) bool { _, matches := rule.apply(r); return matches }) {
			continue
		}
		if rule.added {
			added = append(added, rule.mapping.source())
		} else {
			others = append(others, rule.mapping.source())
		}
	}
	return added, others
}

// Map returns the repository, relative to the namespace of a target, and the tag there, which
// is "" for a reference without a tag. ok is false if a mapping excludes the reference. Its
// error is a [*MappingError]: the name is not valid.
func (m *Mapper) Map(r Reference) (repository, tag string, ok bool, err error) {
	repository, tag = r.Repository, r.Tag
	var source string
	for i := range m.rules {
		rule := &m.rules[i]
		mapped, matches := rule.apply(r)
		if !matches {
			continue
		}
		if rule.mapping.Exclude {
			return "", "", false, nil
		}
		source, repository = rule.mapping.source(), mapped
		if !filter.IsReferrersTag(tag) { // cosign looks for its tags by digest
			tag = rule.tags.rename(tag)
		}
		break
	}
	reason := grammar.RepositoryFault(repository)
	if reason == "" && tag != "" {
		reason = grammar.TagFault(tag)
	}
	if reason != "" {
		return "", "", false, &MappingError{Reference: r.String(), Mapping: source, Target: repository, Reason: reason}
	}
	return repository, tag, true, nil
}
