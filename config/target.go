package config

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// Target is the destination of a restore: a registry, or a namespace in it.
type Target struct {
	Name      string // for --target; may be empty
	Registry  string
	Namespace string // path that precedes every repository; may be empty

	ExistingTags string // ExistingOverwrite, ExistingSkip or ExistingFail: the treatment of a tag that has a different digest
	PlatformMode string // PlatformsKeep or PlatformsRewrite: the treatment of an index without some of its platforms
}

// These are the values of ExistingTags. A tag that already has the right digest is unchanged
// with all three.
const (
	ExistingOverwrite = "overwrite" // the default
	ExistingSkip      = "skip"
	ExistingFail      = "fail"
)

// These are the values of PlatformMode.
const (
	PlatformsKeep    = "keep"    // the default: push the index as it is, which some registries reject
	PlatformsRewrite = "rewrite" // push a new index of the images that exist, with a new digest
)

// ParseTarget parses REGISTRY[/NAMESPACE]. The other fields have their defaults. Its error is a
// [*ReferenceError].
func ParseTarget(s string) (Target, error) {
	if reason := commonFault(s); reason != "" {
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
	if reason := grammar.RegistryFault(t.Registry); reason != "" {
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
	return grammar.RepositoryFault(t.Namespace)
}

// suggestTarget corrects common mistakes and returns the result if it is valid.
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
	if guess == s || commonFault(guess) != "" || t.fault(slash) != "" {
		return ""
	}
	return guess
}

// Join returns the repository in the registry of the target for a repository of [Mapper.Map].
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
