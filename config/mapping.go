package config

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
)

// Mapping says where a restore puts the repositories that it matches.
type Mapping struct {
	Source        string       `yaml:"source"`          // a prefix at a path boundary, with or without a registry
	SourcePattern string       `yaml:"sourcePattern"`   // RE2 instead, of the whole of REGISTRY/REPOSITORY
	Target        string       `yaml:"target,mayempty"` // takes the prefix's place; ${name} is a group of SourcePattern
	Tags          []TagMapping `yaml:"tags"`
	Exclude       bool         `yaml:"exclude"` // what matches is not restored
}

// ParseMapping parses SOURCE=TARGET, a prefix and what takes its place; without
// a TARGET the prefix goes. Its error is a [*ReferenceError].
func ParseMapping(s string) (Mapping, error) {
	source, target, ok := strings.Cut(s, "=")
	m := Mapping{Source: source, Target: target}
	if !ok {
		return Mapping{}, &ReferenceError{Reference: s, Reason: "a mapping is SOURCE=TARGET"}
	}
	if source == "" {
		return Mapping{}, &ReferenceError{Reference: s, Reason: "no source before the ="}
	}
	if _, faults := m.compile(); len(faults) > 0 {
		return Mapping{}, &ReferenceError{Reference: s, Reason: faults[0].reason}
	}
	return m, nil
}

func (m *Mapping) source() string {
	if m.SourcePattern != "" {
		return m.SourcePattern
	}
	return m.Source
}

func (m *Mapping) check(o object) {
	o.exclusive("source", "sourcePattern")
	o.oneOf("a mapping", "source", "sourcePattern")
	o.notEmpty("tags")
	if m.Exclude {
		o.exclusive("exclude", "target", "tags")
	} else if o.sound("exclude") || !o.has("exclude") {
		o.require("target")
	}
	checkTagMappings(o, m.Tags)
	_, faults := m.compile()
	for _, f := range faults {
		if o.sound(f.key) {
			o.fault(f.key, f.reason)
		}
	}
}

// mappingFault is what is wrong with one key of a mapping.
type mappingFault struct{ key, reason string }

func (e mappingFault) Error() string { return e.key + ": " + e.reason }

// compile makes a rule of the mapping, which can be used if there are no faults.
func (m *Mapping) compile() (rule, []mappingFault) {
	r := rule{mapping: *m, tags: newTagRules(m.Tags)}
	var faults []mappingFault
	fault := func(key, reason string) {
		if reason != "" {
			faults = append(faults, mappingFault{key, reason})
		}
	}
	if m.SourcePattern != "" {
		r.compilePattern(fault)
	} else {
		r.compilePrefix(fault)
	}
	for i := range m.Tags {
		key, reason := m.Tags[i].fault()
		fault(element("tags", i)+"."+key, reason)
	}
	return r, faults
}

func (r *rule) compilePrefix(fault func(key, reason string)) {
	r.registry, r.prefix = splitSource(r.mapping.Source)
	if r.registry != "" {
		fault("source", registryFault(r.registry))
	}
	fault("source", r.prefixFault())
	if r.mapping.Target != "" {
		fault("target", repositoryFault(r.mapping.Target))
	}
}

func (r *rule) prefixFault() string {
	switch {
	case r.prefix == "" && r.registry != "" && !strings.HasSuffix(r.mapping.Source, "/"):
		return ""
	case strings.HasSuffix(r.mapping.Source, "/"):
		return fmt.Sprintf("%q ends in a slash; a prefix ends at a path boundary anyway", r.mapping.Source)
	case strings.ContainsAny(r.prefix, ":@"):
		return fmt.Sprintf("%q has a tag or a digest; single tags are renamed by tags", r.mapping.Source)
	}
	return repositoryFault(r.prefix)
}

// splitSource splits a prefix, which may be a registry alone or a path alone.
func splitSource(source string) (registry, path string) {
	first, rest, _ := strings.Cut(source, "/")
	if looksLikeRegistry(first) {
		return first, rest
	}
	return "", source
}

// group is ${name} in the target of a pattern.
var group = variable

func (r *rule) compilePattern(fault func(key, reason string)) {
	var err error
	if r.pattern, err = compileAnchored(r.mapping.SourcePattern); err != nil {
		fault("sourcePattern", err.Error())
		return
	}
	switch {
	case r.mapping.Exclude:
		return
	case r.mapping.Target == "":
		fault("target", "a pattern needs a target")
	}
	for _, g := range group.FindAllString(r.mapping.Target, -1) {
		if groupIndex(r.pattern, g) < 0 {
			fault("target", g+" is no group of the pattern")
		}
	}
	// Groups can only be judged by what they match; the rest of it now.
	fault("target", literalFault(group.ReplaceAllString(r.mapping.Target, "")))
}

func literalFault(s string) string {
	for _, c := range s {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789/._-", c) {
			return fmt.Sprintf("%q is not allowed in a repository", c)
		}
	}
	return ""
}

// groupIndex finds ${name} or ${1}; -1 if the pattern has no such group.
func groupIndex(pattern *regexp.Regexp, g string) int {
	name, closed := strings.CutSuffix(strings.TrimPrefix(g, "${"), "}")
	if !closed {
		return -1
	}
	if i := pattern.SubexpIndex(name); i >= 0 {
		return i
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n <= pattern.NumSubexp() {
		return n
	}
	return -1
}

// regexpReason drops what package regexp says in front: it quotes the whole
// expression once more.
func regexpReason(err error) error {
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		return errors.New(string(wrong.Code))
	}
	return err
}
