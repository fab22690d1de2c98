package config

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// Target is where a restore pushes to: a registry, or a namespace in it.
type Target struct {
	Name      string // what --target calls it; may be empty
	Registry  string
	Namespace string // path before every repository; may be empty

	ExistingTags string // one of the Existing words: what to do with a tag that is there with another digest
	PlatformMode string // one of the Platforms words: what to do with an index that was cut down
}

// What a target's ExistingTags may be. A tag that is there with the digest that
// it is to have is fine with all three.
const (
	ExistingOverwrite = "overwrite" // the default
	ExistingSkip      = "skip"
	ExistingFail      = "fail"
)

// What a target's PlatformMode may be.
const (
	PlatformsKeep    = "keep"    // the default: the index as it is, which some registries refuse
	PlatformsRewrite = "rewrite" // a new index of what there is, with another digest
)

// ParseTarget parses REGISTRY[/NAMESPACE]; the rest is as a spec has it that
// says no more. Its error is a [*ReferenceError].
func ParseTarget(s string) (Target, error) {
	if reason := unlikely(s); reason != "" {
		return Target{}, &ReferenceError{Reference: s, Reason: reason, Suggestion: suggestTarget(s)}
	}
	registry, namespace, slash := strings.Cut(s, "/")
	t := Target{Registry: registry, Namespace: namespace, ExistingTags: ExistingOverwrite, PlatformMode: PlatformsKeep}
	reason := t.fault(slash)
	if reason == "" {
		t.Registry = dockerhub.Registry(t.Registry)
		return t, nil
	}
	return Target{}, &ReferenceError{Reference: s, Reason: reason, Suggestion: suggestTarget(s)}
}

func (t Target) fault(hasNamespace bool) string {
	if !looksLikeRegistry(t.Registry) {
		return "no registry: a target must be REGISTRY[/NAMESPACE]"
	}
	if reason := registryFault(t.Registry); reason != "" {
		return reason
	}
	switch {
	case !hasNamespace:
		return ""
	case strings.ContainsAny(t.Namespace, ":@"):
		return "a target cannot have a tag or a digest"
	case t.Namespace == "":
		return "no namespace after the slash"
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
