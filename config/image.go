package config

import "github.com/oras-mirror/oras-mirror/internal/dockerhub"

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
