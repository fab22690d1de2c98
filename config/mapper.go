package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// Mapper decides what a repository and its tags are called in a target. Safe
// for concurrent use.
type Mapper struct {
	rules []rule
}

// rule is a mapping that was compiled: a pattern, or a prefix.
type rule struct {
	mapping  Mapping
	tags     tagRules
	pattern  *regexp.Regexp
	registry string // "" means every registry
	prefix   string // "" means all of the registry
	added    bool   // by Prepend
}

// MappingError says that a reference has no place in a target.
type MappingError struct {
	Reference string
	Mapping   string // source of the mapping; "" if none matched
	Target    string // what the reference would be called
	Reason    string
}

func (e *MappingError) Error() string {
	if e.Mapping == "" {
		return fmt.Sprintf("%s: target %q: %s", e.Reference, e.Target, e.Reason)
	}
	return fmt.Sprintf("%s: mapping %s gives %q: %s", e.Reference, e.Mapping, e.Target, e.Reason)
}

// NewMapper makes a mapper of mappings, the first of which wins that matches.
// Where none does, the registry goes and the path stays.
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

// Prepend returns a mapper that asks other mappings first, such as those of a
// command line. It is an error if one of them is never reached because of
// another one.
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

// Unmatched returns the sources of the mappings that match none of some references,
// whether or not an earlier one wins: those of Prepend, and the others.
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

// Map returns the repository below a target, and the tag there; "" for a
// reference without one. It returns ok = false for what a mapping excludes. Its
// error is a [*MappingError]: no registry would take that name.
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
		if !IsReferrersTag(tag) { // it is made of a digest, by which cosign looks for it
			tag = rule.tags.rename(tag)
		}
		break
	}
	reason := repositoryFault(repository)
	if reason == "" && tag != "" {
		reason = tagFault(tag)
	}
	if reason != "" {
		return "", "", false, &MappingError{Reference: r.String(), Mapping: source, Target: repository, Reason: reason}
	}
	return repository, tag, true, nil
}

// apply returns what the rule makes of a repository, if it matches.
func (r *rule) apply(ref Reference) (string, bool) {
	if r.pattern != nil {
		return r.expandAny(ref)
	}
	if r.registry != "" && !strings.EqualFold(r.registry, ref.Registry) {
		return "", false
	}
	rest, ok := cutPrefix(ref.Repository, r.prefix)
	// docker.io/nginx is the short form of docker.io/library/nginx here, too.
	if !ok && ref.Registry == dockerhub.Name && ref.Repository == dockerhub.Repository(dockerhub.Name, r.prefix) {
		rest, ok = "", true
	}
	if !ok {
		return "", false
	}
	return strings.Trim(r.mapping.Target+"/"+rest, "/"), true
}

// cutPrefix cuts a prefix that ends where a component of the path does.
func cutPrefix(path, prefix string) (rest string, ok bool) {
	if prefix == "" || path == prefix {
		return strings.TrimPrefix(path, prefix), true
	}
	return strings.CutPrefix(path, prefix+"/")
}

// expand puts the pattern's groups into the target.
// expandAny tries the pattern on each name that the registry has.
func (r *rule) expandAny(ref Reference) (string, bool) {
	if path, ok := r.expand(ref.Name()); ok || ref.Registry != dockerhub.Name {
		return path, ok
	}
	for _, name := range dockerhub.Names() {
		if path, ok := r.expand(name + "/" + ref.Repository); ok {
			return path, true
		}
	}
	return "", false
}

func (r *rule) expand(name string) (string, bool) {
	match := r.pattern.FindStringSubmatch(name)
	if match == nil {
		return "", false
	}
	return group.ReplaceAllStringFunc(r.mapping.Target, func(g string) string {
		return match[groupIndex(r.pattern, g)]
	}), true
}
