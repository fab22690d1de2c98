package config

import "strings"

// Target is where a restore pushes to: a registry, or a namespace in it.
type Target struct {
	Name      string // what --target calls it; may be empty
	Registry  string
	Namespace string // path before every repository; may be empty
}

// ParseTarget parses REGISTRY[/NAMESPACE]. Its error is a [*ReferenceError].
func ParseTarget(s string) (Target, error) {
	if reason := unlikely(s); reason != "" {
		return Target{}, &ReferenceError{Reference: s, Reason: reason, Suggestion: suggestTarget(s)}
	}
	registry, namespace, slash := strings.Cut(s, "/")
	t := Target{Registry: registry, Namespace: namespace}
	reason := t.fault(slash)
	if reason == "" {
		return t, nil
	}
	return Target{}, &ReferenceError{Reference: s, Reason: reason, Suggestion: suggestTarget(s)}
}

func (t Target) fault(hasNamespace bool) string {
	if !looksLikeRegistry(t.Registry) {
		return "no registry: a target is REGISTRY[/NAMESPACE]"
	}
	if reason := registryFault(t.Registry); reason != "" {
		return reason
	}
	switch {
	case !hasNamespace:
		return ""
	case strings.ContainsAny(t.Namespace, ":@"):
		return "a target has neither tag nor digest"
	case t.Namespace == "":
		return "no namespace behind the slash"
	}
	return repositoryFault(t.Namespace)
}

// suggestTarget mends the usual mistakes and returns the result if it parses.
func suggestTarget(s string) string {
	guess := strings.TrimSpace(s)
	if _, after, ok := strings.Cut(guess, "://"); ok {
		guess = after
	}
	guess = strings.ToLower(strings.TrimRight(guess, "/"))
	if strings.Contains(guess, "/") {
		slash := strings.LastIndex(guess, "/")
		if i := strings.IndexAny(guess[slash:], ":@"); i >= 0 {
			guess = guess[:slash+i]
		}
	}
	registry, namespace, slash := strings.Cut(guess, "/")
	t := Target{Registry: registry, Namespace: namespace}
	if guess == s || unlikely(guess) != "" || t.fault(slash) != "" {
		return ""
	}
	return guess
}

// Join returns the repository in the target's registry for a path of a
// [Mapper].
func (t Target) Join(path string) string {
	if t.Namespace == "" {
		return path
	}
	return t.Namespace + "/" + path
}

// String returns REGISTRY[/NAMESPACE].
func (t Target) String() string {
	if t.Namespace == "" {
		return t.Registry
	}
	return t.Registry + "/" + t.Namespace
}
