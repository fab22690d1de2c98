package config

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/internal/glob"
)

// globMeta are the characters that make a text a pattern.
const globMeta = `*?[{\`

// policyGlobFault returns why a glob of a policy is invalid or matches no repository, and what
// was probably meant. A policy that never matches would let everything pass.
func policyGlobFault(pattern string) (reason, suggestion string) {
	switch {
	case !doublestar.ValidatePattern(pattern):
		return fmt.Sprintf("invalid glob %q", pattern), ""
	case pattern != strings.ToLower(pattern):
		return fmt.Sprintf("%q has capitals", pattern), strings.ToLower(pattern)
	}
	all := glob.Alternatives(pattern)
	for _, one := range all {
		if reason, suggestion := alternativeFault(one); reason != "" && len(all) == 1 {
			return reason, suggestion
		} else if reason != "" {
			return reason, ""
		}
	}
	return "", ""
}

// alternativeFault returns the fault of a valid glob without braces.
func alternativeFault(one string) (reason, suggestion string) {
	if apart, found := apartFromStars(one); found {
		return fmt.Sprintf("%q: ** within a component matches no slash", one), apart
	}
	if reason, suggestion = deadGlob(one); reason == "" {
		return "", ""
	}
	if suggestion != "" {
		if again, _ := policyGlobFault(suggestion); again != "" {
			suggestion = ""
		}
	}
	return fmt.Sprintf("%q matches no repository: %s", one, reason), suggestion
}

// apartFromStars returns a glob with a ** that stands within a component as a component of its
// own, and whether there is one.
func apartFromStars(pattern string) (apart string, found bool) {
	components := strings.Split(pattern, "/")
	for i, one := range components {
		if one == "**" || !strings.Contains(one, "**") {
			continue
		}
		found = true
		components[i] = strings.Trim(strings.ReplaceAll(one, "**", "/**/"), "/")
	}
	return strings.Join(components, "/"), found
}

// deadGlob returns why a valid glob matches no REGISTRY/REPOSITORY, for the common mistakes.
func deadGlob(pattern string) (reason, suggestion string) {
	if reason := commonFault(pattern); reason != "" {
		_, suggestion, _ := strings.Cut(pattern, "://")
		return reason, suggestion
	}
	if quoted, is := quoteIPv6(pattern); is {
		return "brackets are a set of characters", quoted
	}
	if pattern == "**" || strings.Contains(pattern, "{") { // too many alternatives, or one in a set
		return "", ""
	}
	part, repository, slash := cutGlob(pattern)
	registry, literal := unquoted(part)
	switch {
	case !slash && literal && (isBareRegistry(registry) || strings.HasPrefix(registry, "[")):
		return "a registry without a repository", pattern + "/**"
	case !slash && !literal:
		return "no repository", pattern + "/**"
	case literal && !looksLikeRegistry(registry):
		return "no registry", dockerhub.Reference(dockerhub.Name + "/" + pattern)
	case !literal && !matchesRegistry(part):
		return "no registry has such a name", unbracketed.Replace(part) + "/" + repository
	case strings.HasSuffix(pattern, "/"):
		return "a slash at its end", pattern + "**"
	case strings.ContainsAny(repository, `[\`):
		return "", "" // a set may have colons in it
	case strings.ContainsAny(repository, ":@"):
		end := strings.IndexAny(repository, ":@")
		return "no tag or digest is allowed here", part + "/" + repository[:end]
	case literal && grammar.RegistryFault(registry) != "":
		return grammar.RegistryFault(registry), ""
	case dockerhub.IsRegistry(registry) && repository != "**" && !strings.Contains(repository, "/"):
		return "all of " + dockerhub.Name + " have a namespace", dockerhub.Reference(pattern)
	}
	return deadComponent(repository), ""
}

// deadComponent returns why no repository has the components of a glob that are no patterns.
func deadComponent(repository string) string {
	for component := range strings.SplitSeq(repository, "/") {
		switch {
		case component == "":
			return "an empty component"
		case !strings.ContainsAny(component, globMeta) && grammar.RepositoryFault(component) != "":
			return grammar.RepositoryFault(component)
		}
	}
	return ""
}

// quoteIPv6 quotes the brackets of an IPv6 address at the start of a glob, and reports whether
// there is one.
func quoteIPv6(pattern string) (quoted string, is bool) {
	address, rest, closed := strings.Cut(strings.TrimPrefix(pattern, "["), "]")
	if !closed || pattern[0] != '[' || grammar.RegistryFault("["+address+"]") != "" {
		return "", false
	}
	return `\[` + address + `\]` + rest, true
}

// canonicalGlob returns a glob without braces as policies match it: without the port that a
// registry has by default, and with docker.io for all names of Docker Hub.
func canonicalGlob(one string) string {
	registry, repository, slash := strings.Cut(one, "/")
	if !slash {
		return one
	}
	return dockerhub.Rename(strings.TrimSuffix(registry, ":443") + "/" + repository)
}
