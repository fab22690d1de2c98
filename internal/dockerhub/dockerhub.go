// Package dockerhub knows the one registry that has several names, and whose repositories
// have a short form.
package dockerhub

import "strings"

const (
	// Name stands for Docker Hub in references.
	Name = "docker.io"
	// Host answers its requests.
	Host = "registry-1.docker.io"
	// library holds its official images.
	library = "library/"
)

// others are its names besides docker.io: those of its search and its old API, of its
// registry, and of its web pages, which answer the registry's API too.
var others = []string{"index.docker.io", Host, "registry.hub.docker.com"}

// Names returns all its names in references.
func Names() []string { return append([]string{Name}, others...) }

// IsRegistry reports whether a registry is Docker Hub, with or without the port that https has
// anyway.
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

// Registry returns docker.io for each of its names, and any other registry as it is.
func Registry(registry string) string {
	if IsRegistry(registry) {
		return Name
	}
	return registry
}

// Rename returns what begins with a registry, or is one, under the name that references
// give it: a prefix or a pattern of them, too.
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

// Reference returns a reference under the name that it has everywhere: that of an official
// image is written out.
func Reference(text string) string {
	registry, path, slash := strings.Cut(text, "/")
	if !slash || !IsRegistry(registry) {
		return text
	}
	return Name + "/" + Repository(Name, path)
}

// Repository writes the short form of an official image out; what stands behind the
// repository may come along.
func Repository(registry, repository string) string {
	if registry == Name && repository != "" && !strings.Contains(repository, "/") {
		return library + repository
	}
	return repository
}
