package config

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// Mirror is a place that has the content of a registry: another registry, or a path in it.
type Mirror struct {
	Registry string
	Prefix   string // the path that precedes every repository; may be empty
}

// ParseMirror parses REGISTRY[/PREFIX]. Its error is a [*ReferenceError].
func ParseMirror(s string) (Mirror, error) {
	registry, prefix, slash := strings.Cut(s, "/")
	m := Mirror{Registry: registry, Prefix: prefix}
	reason := commonFault(s)
	if reason == "" {
		reason = m.fault(slash)
	}
	if reason != "" {
		return Mirror{}, &ReferenceError{Reference: s, Reason: reason, Suggestion: suggestTarget(s)}
	}
	m.Registry = dockerhub.Registry(m.Registry)
	return m, nil
}

func (m Mirror) fault(hasPrefix bool) string {
	if !looksLikeRegistry(m.Registry) {
		return "no registry: a mirror must be REGISTRY[/PREFIX]"
	}
	if reason := grammar.RegistryFault(m.Registry); reason != "" {
		return reason
	}
	switch {
	case !hasPrefix:
		return ""
	case strings.ContainsAny(m.Prefix, ":@"):
		return "a mirror cannot have a tag or a digest"
	case m.Prefix == "":
		return "no prefix after the slash"
	}
	return grammar.RepositoryFault(m.Prefix)
}

// UnmarshalText parses text by [ParseMirror].
func (m *Mirror) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMirror(string(text))
	return err
}

// String returns REGISTRY[/PREFIX].
func (m Mirror) String() string { return Target{Registry: m.Registry, Namespace: m.Prefix}.String() }

// isSame reports whether two mirrors are one: host names have no case.
func (m Mirror) isSame(other Mirror) bool {
	return strings.EqualFold(m.Registry, other.Registry) && m.Prefix == other.Prefix
}
