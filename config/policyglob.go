package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// globMeta are the characters that make a text a pattern.
const globMeta = `*?[{\`

// policyGlobFault returns why a glob of a policy is invalid or matches no repository, and what
// was probably meant. A policy that never matches would let everything pass.
func policyGlobFault(glob string) (reason, suggestion string) {
	switch {
	case !doublestar.ValidatePattern(glob):
		return fmt.Sprintf("invalid glob %q", glob), ""
	case glob != strings.ToLower(glob):
		return fmt.Sprintf("%q has capitals", glob), strings.ToLower(glob)
	}
	if reason, suggestion = deadGlob(glob); reason == "" {
		return "", ""
	}
	if suggestion != "" && policyGlobReason(suggestion) != "" {
		suggestion = ""
	}
	return fmt.Sprintf("%q matches no repository: %s", glob, reason), suggestion
}

func policyGlobReason(glob string) string {
	reason, _ := policyGlobFault(glob)
	return reason
}

// deadGlob returns why a valid glob matches no REGISTRY/REPOSITORY, for the common mistakes.
func deadGlob(glob string) (reason, suggestion string) {
	if reason := commonFault(glob); reason != "" {
		_, suggestion, _ := strings.Cut(glob, "://")
		return reason, suggestion
	}
	if strings.ContainsAny(glob, `[{\`) {
		return "", "" // a set may have slashes and colons in it
	}
	registry, repository, slash := strings.Cut(glob, "/")
	literal := !strings.ContainsAny(registry, globMeta)
	switch {
	case glob == "**":
		return "", ""
	case !slash && literal && isBareRegistry(registry):
		return "a registry without a repository", glob + "/**"
	case !slash && !literal:
		return "no repository", glob + "/**"
	case literal && !looksLikeRegistry(registry):
		return "no registry", dockerhub.Reference(dockerhub.Name + "/" + glob)
	case strings.HasSuffix(glob, "/"):
		return "a slash at its end", glob + "**"
	case strings.ContainsAny(repository, ":@"):
		end := strings.IndexAny(repository, ":@")
		return "no tag or digest is allowed here", registry + "/" + repository[:end]
	case dockerhub.IsRegistry(registry) && repository != "**" && !strings.Contains(repository, "/"):
		return "all of " + dockerhub.Name + " have a namespace", dockerhub.Reference(glob)
	}
	return "", ""
}

// checkPolicies reports the globs that match only what an earlier policy decides.
func (s *Spec) checkPolicies(o strictyaml.Object) {
	for i, p := range s.Policies {
		for k, glob := range p.Match {
			for first, earlier := range s.Policies[:i] {
				wider := slices.IndexFunc(earlier.Match, func(wider string) bool { return covers(wider, glob) })
				if wider < 0 {
					continue
				}
				by := strictyaml.Element("policies", first)
				at := strictyaml.Element(strictyaml.Element("policies", i)+".match", k)
				o.Fault(at, fmt.Sprintf("%q never decides: %q of %s on line %d comes first", glob, earlier.Match[wider], by, o.Position(by).Line))
				break
			}
		}
	}
}

// covers reports whether a glob matches everything that another one does: if it is the same, or
// ** below a prefix of it.
func covers(wider, glob string) bool {
	if wider == glob || wider == "**" {
		return true
	}
	prefix, below := strings.CutSuffix(wider, "/**")
	return below && !strings.ContainsAny(prefix, globMeta) && (glob == prefix || strings.HasPrefix(glob, prefix+"/"))
}
