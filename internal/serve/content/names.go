package content

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// view is a repository under one of its names.
type view struct {
	sources []int32
	tags    []tagged
}

// find returns the repositories that a path names: the one that a restore would give this name,
// then REGISTRY/PATH. With a registry, only what comes from it: PATH, REGISTRY/PATH, or a
// mapped name.
func (t *table) find(path, registry string) []view {
	var views []view
	add := func(registry, path string) {
		if number, ok := t.source(registry, dockerhub.Repository(registry, path)); ok {
			views = append(views, view{[]int32{number}, t.sources[number].tags})
		}
	}
	if registry != "" {
		add(registry, path)
		if rest, ok := strings.CutPrefix(path, registry+"/"); ok {
			add(registry, rest)
		}
		return append(views, t.mapped(path, registry)...)
	}
	if n := t.name(path); n != nil {
		v := view{tags: n.tags}
		for _, p := range n.parts {
			v.sources = append(v.sources, p.source)
		}
		views = append(views, v)
	}
	if host, rest, ok := strings.Cut(path, "/"); ok {
		add(dockerhub.Registry(host), rest)
	}
	return views
}

// mapped returns the sources in a registry that a restore would give this name.
func (t *table) mapped(path, registry string) (views []view) {
	n := t.name(path)
	if n == nil {
		return nil
	}
	for _, p := range n.parts {
		if t.sources[p.source].registry == registry {
			views = append(views, view{[]int32{p.source}, p.tags})
		}
	}
	return views
}
