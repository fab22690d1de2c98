// Package dockerhub normalizes the names of Docker Hub, the one registry that has several
// names, and the short form of its official images.
package dockerhub

import "strings"

const (
	// Name is the name of Docker Hub in references.
	Name = "docker.io"
	// Host is the host of its API.
	Host = "registry-1.docker.io"
	// library is the namespace of its official images.
	library = "library/"
)

// others are its names besides docker.io: those of its search and old API, of its registry,
// and of its web pages, which serve the API of the registry too.
var others = []string{"index.docker.io", Host, "registry.hub.docker.com"}

// Names returns all names of Docker Hub in references.
func Names() []string { return append([]string{Name}, others...) }

// IsRegistry reports whether a registry is Docker Hub, with or without the default port of
// https.
func IsRegistry(registry string) bool {
	host := strings.TrimSuffix(registry, ":443")
	if strings.EqualFold(host, Name) {
		return true
	}
	for _, name := range others {
		if strings.EqualFold(host, name) {
			return true
		}
	}
	return false
}

// Registry returns docker.io for every name of Docker Hub, and any other registry unchanged.
func Registry(registry string) string {
	if IsRegistry(registry) {
		return Name
	}
	return registry
}

// Rename returns a text that starts with a name of Docker Hub, such as a prefix or a pattern
// of references, with docker.io instead, and any other text unchanged.
func Rename(text string) string {
	registry, path, slash := strings.Cut(text, "/")
	if !IsRegistry(registry) {
		return text
	}
	if !slash {
		return Name
	}
	return Name + "/" + path
}

// Reference returns a reference to Docker Hub in its full form, docker.io/library/alpine for
// alpine of any of its names, and any other reference unchanged.
func Reference(text string) string {
	registry, path, slash := strings.Cut(text, "/")
	if !slash || !IsRegistry(registry) {
		return text
	}
	return Name + "/" + Repository(Name, path)
}

// Repository returns the full form of an official image, with whatever follows the repository,
// such as a tag, and any other repository unchanged.
func Repository(registry, repository string) string {
	if registry == Name && repository != "" && !strings.Contains(repository, "/") {
		return library + repository
	}
	return repository
}
