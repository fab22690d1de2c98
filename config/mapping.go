package config

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
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

// suggest leaves out what has no place in a mapping, and returns the result if it
// parses.
func (m *Mapping) suggest() string {
	mended := Mapping{Source: suggestSource(m.Source), Target: suggestPath(m.Target)}
	if _, faults := mended.compile(); len(faults) > 0 || mended.Source == m.Source && mended.Target == m.Target {
		return ""
	}
	return mended.Source + "=" + mended.Target
}

// suggestSource drops a scheme and slashes at the end.
func suggestSource(source string) string {
	_, after, found := strings.Cut(source, "://")
	if !found {
		after = source
	}
	return strings.TrimRight(after, "/")
}

// suggestPath drops a registry too: a mapping names a path in whatever registry the
// target is.
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

func (m *Mapping) check(o object) {
	m.Source = dockerhub.Rename(m.Source)
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
			o.suggest(f.key, f.reason, f.suggestion)
		}
	}
}

// mappingFault is what is wrong with one key of a mapping.
type mappingFault struct {
	key, reason string
	suggestion  string // what was perhaps meant; may be empty
}

func (e mappingFault) Error() string { return e.key + ": " + e.reason }

// compile makes a rule of the mapping, which can be used if there are no faults.
func (m *Mapping) compile() (rule, []mappingFault) {
	r := rule{mapping: *m, tags: newTagRules(m.Tags)}
	var faults []mappingFault
	fault := func(key, reason string) {
		if reason != "" {
			faults = append(faults, mappingFault{key: key, reason: reason, suggestion: m.meant(key)})
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

// meant returns the value that was perhaps meant for one key; "" if that cannot be
// told.
func (m *Mapping) meant(key string) string {
	var value, mended, fault string
	switch key {
	case "source":
		value, mended = m.Source, suggestSource(m.Source)
		r := rule{mapping: Mapping{Source: mended}}
		r.registry, r.prefix = splitSource(mended)
		fault = r.prefixFault()
	case "sourcePattern":
		value, mended = m.SourcePattern, suggestSource(m.SourcePattern)
	case "target":
		value, mended = m.Target, suggestPath(m.Target)
		fault = repositoryFault(mended)
	}
	if value == mended || fault != "" {
		return ""
	}
	return mended
}

const withScheme = "%q has a scheme, which is not allowed here"

func (r *rule) compilePrefix(fault func(key, reason string)) {
	r.registry, r.prefix = splitSource(r.mapping.Source)
	fault("source", r.prefixFault())
	fault("target", pathFault(r.mapping.Target))
}

// pathFault says what is wrong with a target that is no pattern's.
func pathFault(target string) string {
	first, _, deeper := strings.Cut(target, "/")
	switch {
	case target == "":
		return ""
	case strings.Contains(target, "://"):
		return fmt.Sprintf(withScheme, target)
	case deeper && strings.Contains(first, ":"):
		return fmt.Sprintf("%q has a registry; a mapping names a path in the registry of the target", target)
	}
	return repositoryFault(target)
}

func (r *rule) prefixFault() string {
	switch {
	case strings.Contains(r.mapping.Source, "://"):
		return fmt.Sprintf(withScheme, r.mapping.Source)
	case r.registry != "" && registryFault(r.registry) != "":
		return registryFault(r.registry)
	case r.prefix == "" && r.registry != "" && !strings.HasSuffix(r.mapping.Source, "/"):
		return ""
	case strings.HasSuffix(r.mapping.Source, "/"):
		return fmt.Sprintf("%q ends with a slash; a prefix ends at a path boundary anyway", r.mapping.Source)
	case strings.ContainsAny(r.prefix, ":@"):
		return fmt.Sprintf("%q has a tag or a digest; rename single tags with tags", r.mapping.Source)
	}
	return repositoryFault(r.prefix)
}

// splitSource splits a prefix, which may be a registry alone or a path alone.
func splitSource(source string) (registry, path string) {
	first, rest, _ := strings.Cut(source, "/")
	if looksLikeRegistry(first) {
		return dockerhub.Registry(first), rest
	}
	return "", source
}

// group is ${name} in the target of a pattern.
var group = variable

func (r *rule) compilePattern(fault func(key, reason string)) {
	if strings.Contains(r.mapping.SourcePattern, "://") {
		fault("sourcePattern", fmt.Sprintf(withScheme, r.mapping.SourcePattern))
		return
	}
	var err error
	if r.pattern, err = compileAnchored(r.mapping.SourcePattern); err != nil {
		fault("sourcePattern", err.Error())
		return
	}
	switch {
	case r.mapping.Exclude:
		return
	case r.mapping.Target == "":
		fault("target", "a pattern requires a target")
	}
	for _, g := range group.FindAllString(r.mapping.Target, -1) {
		if groupIndex(r.pattern, g) < 0 {
			fault("target", "the pattern has no group "+g)
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
