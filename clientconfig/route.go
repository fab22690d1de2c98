package clientconfig

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Route sends one repository of a registry to the mirror, or all below a path.
type Route struct {
	Registry string // where the references of clients point to
	Path     string // a repository; with Below what its name begins with, "" for all of the registry
	Below    bool   // every repository below Path, too
	Location string // what takes the place of Path in the mirror
}

// Name returns REGISTRY[/PATH].
func (r Route) Name() string { return join(r.Registry, r.Path) }

// join puts two paths one behind the other; either may be empty.
func join(a, b string) string { return strings.Trim(a+"/"+b, "/") }

// under returns what of a path comes behind a prefix that ends where a component
// does.
func under(path, prefix string) (rest string, ok bool) {
	switch {
	case prefix == "":
		return path, true
	case path == prefix:
		return "", true
	}
	return strings.CutPrefix(path, prefix+"/")
}

// prefix returns what the mirror puts before the whole name of what the route
// takes; ok is false if the name itself is another one there.
func (r Route) prefix() (prefix string, ok bool) {
	switch {
	case r.Path == "":
		return r.Location, true
	case r.Path == r.Location:
		return "", true
	}
	return strings.CutSuffix(r.Location, "/"+r.Path)
}

// group is the routes of one registry.
type group struct {
	registry string
	routes   []Route
}

// groups sorts routes by registry.
func groups(routes []Route) []group {
	var all []group
	for _, r := range sorted(routes) {
		if len(all) == 0 || all[len(all)-1].registry != r.Registry {
			all = append(all, group{registry: r.Registry})
		}
		last := &all[len(all)-1]
		last.routes = append(last.routes, r)
	}
	return all
}

// sorted puts a path before what is below it.
func sorted(routes []Route) []Route {
	return slices.SortedFunc(slices.Values(routes), func(a, b Route) int {
		return cmp.Or(cmp.Compare(a.Registry, b.Registry), cmp.Compare(a.Path, b.Path))
	})
}

// prefix returns the one thing that the mirror puts before every name of the
// registry. Without one it returns why the runtime cannot be told.
func (g group) prefix(runtime string) (string, *Refusal) {
	var common string
	for i, r := range g.routes {
		prefix, ok := r.prefix()
		if !ok {
			return "", &Refusal{
				Runtime: runtime, Subject: r.Name(),
				Reason: "is renamed to " + cmp.Or(r.Location, "the root of the mirror") + ", and only a path before the whole name can be told",
				Hint:   "map all of the registry at once: {source: " + g.registry + ", target: …}; podman, openshift and k3s can be told other names",
			}
		}
		if i > 0 && prefix != common {
			return "", &Refusal{
				Runtime: runtime, Subject: g.registry,
				Reason: "is at two places: " + g.routes[0].Name() + " is " + g.routes[0].Location + ", " + r.Name() + " is " + r.Location,
				Hint:   "map all of the registry at once: {source: " + g.registry + ", target: …}",
			}
		}
		common = prefix
	}
	return common, nil
}

// shared tells of registries that lie at one place of the mirror, for runtimes
// that ask the mirror for whatever is in a registry. What of one of them is not
// mirrored may be found there under the same name, from another.
func (c *Config) shared(places map[string][]string) {
	for _, names := range places {
		if len(names) > 1 {
			c.note("%s share one place in the mirror: what is not mirrored of one may be answered from another of them; mappings can keep them apart", list(names, "and"))
		}
	}
}

// overlaps tells of routes that lead to one place of the mirror, or to one below the
// other, for runtimes that know prefixes.
func (c *Config) overlaps(routes []Route) {
	places, named := make(map[string][]string), make(map[string]bool)
	for _, r := range routes {
		places[r.Location] = append(places[r.Location], r.Name())
		named[r.Name()] = true
	}
	c.shared(places)
	for place, names := range places {
		var strays []string
		for outer := range above(place) {
			rest, _ := under(place, outer)
			for _, name := range places[outer] {
				if stray := join(name, rest); taken(stray, named) == name {
					strays = append(strays, stray)
				}
			}
		}
		if len(strays) > 0 {
			slices.Sort(strays)
			c.note("%s, where it is not mirrored, may be answered with %s; mappings can keep them apart", list(strays, "or"), list(names, "or"))
		}
	}
}

// fewNames are as many as a note can tell.
const fewNames = 4

func list(names []string, last string) string {
	if more := len(names) - fewNames; more > 0 {
		return fmt.Sprintf("%s %s %d more", strings.Join(names[:fewNames], ", "), last, more)
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " " + last + " " + names[len(names)-1]
}

// above yields the paths that a path is below.
func above(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for path != "" {
			path = path[:max(0, strings.LastIndex(path, "/"))]
			if !yield(path) {
				return
			}
		}
	}
}

// taken is the route that a name follows: the longest that fits.
func taken(name string, routes map[string]bool) string {
	if routes[name] {
		return name
	}
	for name := range above(name) {
		if routes[name] {
			return name
		}
	}
	return ""
}
