package config

import (
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// ParseReference parses REGISTRY/REPOSITORY[:TAG][@DIGEST] by the grammar of the OCI
// distribution spec. The registry is required: no default would be right everywhere. Its error
// is a [*ReferenceError].
func ParseReference(s string) (Reference, error) {
	r, reason := parseReference(s)
	if reason == "" {
		return r, nil
	}
	return Reference{}, &ReferenceError{Reference: s, Reason: reason, Suggestion: suggestReference(s)}
}

// parseReferences parses one reference, or several of one repository as oras does:
// REPOSITORY:v1,v2 is two references. Each part is a tag, a digest or TAG@DIGEST.
func parseReferences(s string) ([]Reference, error) {
	head, tail, more := strings.Cut(s, ",")
	first, err := ParseReference(head)
	if err != nil {
		return nil, err
	}
	all := []Reference{first}
	if !more {
		return all, nil
	}
	if first.IsRepository() {
		return nil, &ReferenceError{Reference: s, Reason: "a list of tags needs a tag before the comma"}
	}
	for part := range strings.SplitSeq(tail, ",") {
		next := Reference{Registry: first.Registry, Repository: first.Repository}
		if reason := next.setVersion(part); reason != "" {
			return nil, &ReferenceError{Reference: s, Reason: reason}
		}
		all = append(all, next)
	}
	return all, nil
}

// setVersion parses the part after a comma: a tag, a digest, or both.
func (r *Reference) setVersion(s string) (reason string) {
	tag, dig, both := strings.Cut(s, "@")
	if !both && strings.Contains(s, ":") && !strings.Contains(s, "/") {
		tag, dig = "", s
	}
	if tag == "" && dig == "" {
		return "no tag or digest after a comma"
	}
	if tag != "" {
		if reason := grammar.TagFault(tag); reason != "" {
			return reason
		}
	}
	if dig != "" || both {
		if reason := grammar.DigestFault(dig); reason != "" {
			return reason
		}
	}
	r.Tag, r.Digest = tag, digest.Digest(dig)
	return ""
}

// parseReference returns the reference, or why s is not valid.
func parseReference(s string) (r Reference, reason string) {
	if reason := commonFault(s); reason != "" {
		return r, reason
	}
	registry, rest, ok := cutRegistry(s)
	if !ok && isBareRegistry(s) {
		return r, "a registry without a repository"
	}
	if !ok {
		return r, "no registry"
	}
	if reason := grammar.RegistryFault(registry); reason != "" {
		return r, reason
	}
	rest, dig, hasDigest := strings.Cut(rest, "@")
	repository, tag, hasTag := strings.Cut(rest, ":")
	registry = dockerhub.Registry(registry)
	r = Reference{Registry: registry, Repository: dockerhub.Repository(registry, repository), Tag: tag, Digest: digest.Digest(dig)}
	if reason := grammar.RepositoryFault(r.Repository); reason != "" {
		return r, reason
	}
	if hasTag {
		if reason := grammar.TagFault(tag); reason != "" {
			return r, reason
		}
	}
	if hasDigest {
		return r, grammar.DigestFault(dig)
	}
	return r, ""
}

// latestTag is the tag of an image that is named without one.
const latestTag = "latest"

// ParseImage parses the name of an image as Kubernetes and docker read it: without a registry
// it is an image of Docker Hub, with neither tag nor digest it is tagged latest. Its error is a
// [*ReferenceError].
func ParseImage(s string) (Reference, error) {
	full := s
	if _, _, ok := cutRegistry(s); !ok && s != "" {
		full = dockerhub.Name + "/" + s
	}
	r, reason := parseReference(full)
	if reason != "" {
		return Reference{}, &ReferenceError{Reference: s, Reason: reason, Suggestion: suggestReference(s)}
	}
	if r.IsRepository() {
		r.Tag = latestTag
	}
	return r, nil
}

// commonFault returns why s is not a reference, for a few common mistakes, or "".
func commonFault(s string) string {
	switch {
	case s == "":
		return "empty"
	case strings.ContainsAny(s, " \t\r\n"):
		return "white space is not allowed"
	case strings.Contains(s, "://"):
		return "a scheme is not allowed here"
	case strings.Contains(s, "${"):
		return "${...} is not expanded here"
	}
	return ""
}

// cutRegistry splits the registry from the path if s starts with a registry.
func cutRegistry(s string) (registry, path string, ok bool) {
	first, rest, slash := strings.Cut(s, "/")
	if !slash || !looksLikeRegistry(first) {
		return "", s, false
	}
	return first, rest, true
}

// looksLikeRegistry reports whether the first component of a path is a registry, by the rule
// of docker.
func looksLikeRegistry(first string) bool {
	return first == "localhost" || strings.ContainsAny(first, ".:")
}

// isBareRegistry reports whether s is a registry without a repository. Without it, ghcr.io
// would be suggested as an image of Docker Hub.
func isBareRegistry(s string) bool {
	host, _, _ := strings.Cut(s, ":")
	return !strings.Contains(s, "/") && looksLikeRegistry(host)
}

// suggestReference corrects common mistakes and returns the first result that is valid, or "".
func suggestReference(s string) string {
	fixed := strings.TrimSpace(s)
	if _, after, ok := strings.Cut(fixed, "://"); ok {
		fixed = after
	}
	fixed = lowerName(strings.Trim(fixed, "/"))
	if isBareRegistry(fixed) {
		return ""
	}
	for _, guess := range []string{fixed, dockerhub.Name + "/" + fixed} {
		if r, reason := parseReference(guess); reason == "" {
			return r.String()
		}
	}
	return ""
}

// lowerName returns s in lower case, except for its tag.
func lowerName(s string) string {
	slash := strings.LastIndex(s, "/")
	if i := strings.IndexAny(s[slash+1:], ":@"); i >= 0 {
		end := slash + 1 + i
		return strings.ToLower(s[:end]) + s[end:]
	}
	return strings.ToLower(s)
}
