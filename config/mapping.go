package config

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Mapping renames the repositories that it matches when they are restored.
type Mapping struct {
	Source        string       `yaml:"source"`          // prefix that ends at a path boundary, with or without a registry
	SourcePattern string       `yaml:"sourcePattern"`   // instead of Source: RE2 that matches the whole of REGISTRY/REPOSITORY
	Target        string       `yaml:"target,mayempty"` // replaces the prefix; ${name} is a group of SourcePattern
	Tags          []TagMapping `yaml:"tags"`
	Exclude       bool         `yaml:"exclude"` // does not restore what matches
}

// ParseMapping parses SOURCE=TARGET: a prefix and its replacement, which may be empty. Its
// error is a [*ReferenceError].
func ParseMapping(s string) (Mapping, error) {
	source, target, ok := strings.Cut(s, "=")
	m := Mapping{Source: dockerhub.Rename(source), Target: target}
	if !ok {
		return Mapping{}, &ReferenceError{Reference: s, Reason: "a mapping must be SOURCE=TARGET"}
	}
	if source == "" {
		return Mapping{}, &ReferenceError{Reference: s, Reason: "no source before the ="}
	}
	if _, faults := m.compile(); len(faults) > 0 {
		return Mapping{}, &ReferenceError{Reference: s, Reason: faults[0].reason, Suggestion: m.suggest()}
	}
	return m, nil
}

// suggest returns the mapping without the parts that a mapping cannot have, if that is valid.
func (m *Mapping) suggest() string {
	fixed := Mapping{Source: suggestSource(m.Source), Target: suggestPath(m.Target)}
	if _, faults := fixed.compile(); len(faults) > 0 || fixed.Source == m.Source && fixed.Target == m.Target {
		return ""
	}
	return fixed.Source + "=" + fixed.Target
}

// suggestSource removes a scheme and trailing slashes.
func suggestSource(source string) string {
	_, after, found := strings.Cut(source, "://")
	if !found {
		after = source
	}
	return strings.TrimRight(after, "/")
}

// suggestPath removes a registry too, since a mapping names a path in the registry of the
// target.
func suggestPath(target string) string {
	path := suggestSource(target)
	if first, rest, deeper := strings.Cut(path, "/"); deeper && (strings.Contains(target, "://") || strings.Contains(first, ":")) {
		return rest
	}
	return path
}

func (m *Mapping) source() string {
	if m.SourcePattern != "" {
		return m.SourcePattern
	}
	return m.Source
}

// Check reports the faults of the mapping while it is decoded.
func (m *Mapping) Check(o strictyaml.Object) {
	m.Source = dockerhub.Rename(m.Source)
	o.Exclusive("source", "sourcePattern")
	o.OneOf("a mapping", "source", "sourcePattern")
	o.NotEmpty("tags")
	if m.Exclude {
		o.Exclusive("exclude", "target", "tags")
	} else if o.Valid("exclude") || !o.Has("exclude") {
		o.Require("target")
	}
	checkTagMappings(o, m.Tags)
	_, faults := m.compile()
	for _, f := range faults {
		if o.Valid(f.key) {
			o.Suggest(f.key, f.reason, f.suggestion)
		}
	}
}

// mappingFault is a fault in one key of a mapping.
type mappingFault struct {
	key, reason string
	suggestion  string // may be empty
}

func (e mappingFault) Error() string { return e.key + ": " + e.reason }

// compile returns the rule of the mapping, which is valid if there are no faults.
func (m *Mapping) compile() (rule, []mappingFault) {
	r := rule{mapping: *m, tags: newTagRules(m.Tags)}
	var faults []mappingFault
	fault := func(key, reason string) {
		if reason != "" {
			faults = append(faults, mappingFault{key: key, reason: reason, suggestion: m.suggestValue(key)})
		}
	}
	if m.SourcePattern != "" {
		r.compilePattern(fault)
	} else {
		r.compilePrefix(fault)
	}
	for i := range m.Tags {
		key, reason := m.Tags[i].fault()
		fault(strictyaml.Element("tags", i)+"."+key, reason)
	}
	return r, faults
}

// suggestValue returns a valid value near that of a key, or "".
func (m *Mapping) suggestValue(key string) string {
	var value, fixed, fault string
	switch key {
	case "source":
		value, fixed = m.Source, suggestSource(m.Source)
		r := rule{mapping: Mapping{Source: fixed}}
		r.registry, r.prefix = splitSource(fixed)
		fault = r.prefixFault()
	case "sourcePattern":
		value, fixed = m.SourcePattern, suggestSource(m.SourcePattern)
	case "target":
		value, fixed = m.Target, suggestPath(m.Target)
		fault = grammar.RepositoryFault(fixed)
	}
	if value == fixed || fault != "" {
		return ""
	}
	return fixed
}
