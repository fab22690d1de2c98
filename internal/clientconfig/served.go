package clientconfig

import (
	"slices"
	"strings"
)

// ServedRoutes returns the routes to artifacts of some registries that "oras-mirror serve"
// serves. It answers under REGISTRY/PATH, which keeps apart what has one name in several
// registries. A registry with a port cannot stand in a path: its artifacts are at the root,
// where containerd says which registry it means. docker asks for Docker Hub at the root
// alone.
func ServedRoutes(format string, registries []string) []Route {
	var routes []Route
	for _, registry := range slices.Compact(slices.Sorted(slices.Values(registries))) {
		r := Route{Registry: registry, Below: true, Location: strings.ToLower(registry)}
		if strings.ContainsAny(registry, ":[]") {
			r.Location = ""
		}
		if format == "docker" {
			if r.Location = ""; registry != "docker.io" {
				continue
			}
		}
		routes = append(routes, r)
	}
	return routes
}
