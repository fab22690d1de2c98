package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// rule is a compiled mapping: a pattern or a prefix.
type rule struct {
	mapping  Mapping
	tags     tagRules
	pattern  *regexp.Regexp
	registry string // "" means every registry
	prefix   string // "" means the whole registry
	added    bool   // by Prepend
}

const withScheme = "%q has a scheme, which is not allowed here"

func (r *rule) compilePrefix(fault func(key, reason string)) {
	r.registry, r.prefix = splitSource(r.mapping.Source)
	fault("source", r.prefixFault())
	fault("target", pathFault(r.mapping.Target))
}

// pathFault returns why the target of a prefix is invalid, or "".
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
	return grammar.RepositoryFault(target)
}

func (r *rule) prefixFault() string {
	switch {
	case strings.Contains(r.mapping.Source, "://"):
		return fmt.Sprintf(withScheme, r.mapping.Source)
	case r.registry != "" && grammar.RegistryFault(r.registry) != "":
		return grammar.RegistryFault(r.registry)
	case r.prefix == "" && r.registry != "" && !strings.HasSuffix(r.mapping.Source, "/"):
		return ""
	case strings.HasSuffix(r.mapping.Source, "/"):
		return fmt.Sprintf("%q ends with a slash; a prefix ends at a path boundary anyway", r.mapping.Source)
	case strings.ContainsAny(r.prefix, ":@"):
		return fmt.Sprintf("%q has a tag or a digest; rename single tags with tags", r.mapping.Source)
	}
	return grammar.RepositoryFault(r.prefix)
}

// splitSource splits a prefix into a registry and a path. Either may be empty.
func splitSource(source string) (registry, path string) {
	first, rest, _ := strings.Cut(source, "/")
	if looksLikeRegistry(first) {
		return dockerhub.Registry(first), rest
	}
	return "", source
}

// group matches ${name} in the target of a pattern.
var group = variable

func (r *rule) compilePattern(fault func(key, reason string)) {
	if strings.Contains(r.mapping.SourcePattern, "://") {
		fault("sourcePattern", fmt.Sprintf(withScheme, r.mapping.SourcePattern))
		return
	}
	var err error
	if r.pattern, err = grammar.CompileAnchored(r.mapping.SourcePattern); err != nil {
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
	// A group can hold any text, so only the text around groups is checked here.
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

// groupIndex returns the index of the group ${name} or ${1}, or -1.
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

// apply returns the path that a repository is mapped to, if the rule matches.
func (r *rule) apply(ref Reference) (string, bool) {
	if r.pattern != nil {
		return r.applyPattern(ref)
	}
	if r.registry != "" && !strings.EqualFold(r.registry, ref.Registry) {
		return "", false
	}
	rest, ok := cutPrefix(ref.Repository, r.prefix)
	// The prefix docker.io/nginx is short for docker.io/library/nginx, as in a reference.
	if !ok && ref.Registry == dockerhub.Name && ref.Repository == dockerhub.Repository(dockerhub.Name, r.prefix) {
		rest, ok = "", true
	}
	if !ok {
		return "", false
	}
	return strings.Trim(r.mapping.Target+"/"+rest, "/"), true
}

// cutPrefix cuts a prefix that ends at a component of the path.
func cutPrefix(path, prefix string) (rest string, ok bool) {
	if prefix == "" || path == prefix {
		return strings.TrimPrefix(path, prefix), true
	}
	return strings.CutPrefix(path, prefix+"/")
}

// applyPattern matches the pattern against the repository under each name of its registry.
func (r *rule) applyPattern(ref Reference) (string, bool) {
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

// expand puts the groups of the pattern into the target.
func (r *rule) expand(name string) (string, bool) {
	match := r.pattern.FindStringSubmatch(name)
	if match == nil {
		return "", false
	}
	return group.ReplaceAllStringFunc(r.mapping.Target, func(g string) string {
		return match[groupIndex(r.pattern, g)]
	}), true
}
