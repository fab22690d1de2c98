package clientconfig

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Route sends one repository of a registry to the mirror, or all repositories below a
// path.
type Route struct {
	Registry string // the registry in the references that clients use
	Path     string // a repository; with Below a prefix of names, "" for the whole registry
	Below    bool   // the route includes the repositories below Path
	Location string // the path in the mirror that replaces Path
}

// Name returns REGISTRY[/PATH].
func (r Route) Name() string { return join(r.Registry, r.Path) }

// join joins two paths. Either may be empty.
func join(a, b string) string { return strings.Trim(a+"/"+b, "/") }

// under returns the rest of a path behind a prefix of whole components.
func under(path, prefix string) (rest string, ok bool) {
	switch {
	case prefix == "":
		return path, true
	case path == prefix:
		return "", true
	}
	return strings.CutPrefix(path, prefix+"/")
}

// prefix returns the path that the mirror puts before the names of the route. ok is
// false if the names themselves differ in the mirror.
func (r Route) prefix() (prefix string, ok bool) {
	switch {
	case r.Path == "":
		return r.Location, true
	case r.Path == r.Location:
		return "", true
	}
	return strings.CutSuffix(r.Location, "/"+r.Path)
}

// group holds the routes of one registry.
type group struct {
	registry string
	routes   []Route
}

// groups groups routes by registry.
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

// prefix returns the one path that the mirror puts before every name of the registry.
// If there is none it returns the refusal of the runtime.
func (g group) prefix(runtime string) (string, *Refusal) {
	var common string
	for i, r := range g.routes {
		prefix, ok := r.prefix()
		if !ok {
			return "", &Refusal{
				Runtime: runtime, Subject: r.Name(),
				Reason: "is renamed to " + cmp.Or(r.Location, "the root of the mirror") + ", but the runtime can only put a path before the whole name",
				Hint:   "map the whole registry: {source: " + g.registry + ", target: …}; podman, openshift and k3s support other names",
			}
		}
		if i > 0 && prefix != common {
			return "", &Refusal{
				Runtime: runtime, Subject: g.registry,
				Reason: "has two paths in the mirror: " + g.routes[0].Name() + " is " + g.routes[0].Location + ", " + r.Name() + " is " + r.Location,
				Hint:   "map the whole registry: {source: " + g.registry + ", target: …}",
			}
		}
		common = prefix
	}
	return common, nil
}

// noteShared notes names that have one path in the mirror. The mirror may answer for an
// artifact of one that is not mirrored with an artifact of the same name from another.
func (c *Config) noteShared(byLocation map[string][]string) {
	for _, names := range byLocation {
		if len(names) > 1 {
			c.note("%s share one path in the mirror: a pull of an artifact that is not mirrored may get one of another; separate them with mappings", list(names, "and"))
		}
	}
}

// noteOverlaps notes routes that lead to one path of the mirror, or to one below the
// other, for runtimes that match prefixes.
func (c *Config) noteOverlaps(routes []Route) {
	byLocation, named := make(map[string][]string), make(map[string]bool)
	for _, r := range routes {
		byLocation[r.Location] = append(byLocation[r.Location], r.Name())
		named[r.Name()] = true
	}
	c.noteShared(byLocation)
	for location, names := range byLocation {
		var strays []string
		for outer := range above(location) {
			rest, _ := under(location, outer)
			for _, name := range byLocation[outer] {
				if stray := join(name, rest); longestMatch(stray, named) == name {
					strays = append(strays, stray)
				}
			}
		}
		if len(strays) > 0 {
			slices.Sort(strays)
			c.note("a pull of %s, if not mirrored, may get %s; separate them with mappings", list(strays, "or"), list(names, "or"))
		}
	}
}

// maxListed bounds the names that a note lists.
const maxListed = 4

// list joins names with commas, the last one with a conjunction.
func list(names []string, conjunction string) string {
	if more := len(names) - maxListed; more > 0 {
		return fmt.Sprintf("%s %s %d more", strings.Join(names[:maxListed], ", "), conjunction, more)
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " " + conjunction + " " + names[len(names)-1]
}

// above yields the parents of a path, down to the empty one.
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

// longestMatch returns the name of the route that a name follows: the longest that
// matches.
func longestMatch(name string, routes map[string]bool) string {
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
