package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
)

// route says where a source goes: a repository, or all of a registry.
type route struct {
	line     int
	key      string
	from     string // REGISTRY/REPOSITORY, or REGISTRY
	registry string // of the target
	path     string // in the target; a namespace, if from is a registry
	tag      string // in the source; "" means that tags keep their names
	as       string // the tag in the target
}

// whole reports whether the route is one of a whole registry.
func (t route) whole() bool { return !strings.Contains(t.from, "/") }

// kept returns the path that the source has without a mapping.
func (t route) kept() string {
	_, path, _ := strings.Cut(t.from, "/")
	return path
}

// namespace returns the namespace of the target under which the path of the source is kept, or
// false if the path differs.
func (t route) namespace() (string, bool) {
	if t.whole() {
		return t.path, true
	}
	if t.path == t.kept() {
		return "", true
	}
	return strings.CutSuffix(t.path, "/"+t.kept())
}

// route adds the way of an artifact or a repository to a target.
func (r *reader) route(from config.Reference, to string, line int, key string) {
	ref, ok := r.image(to, line, key)
	if !ok {
		return
	}
	t := route{line: line, key: key, from: from.Registry + "/" + from.Repository, registry: ref.Registry, path: ref.Repository}
	switch {
	case from.Tag == "" && from.Digest != "" && !noTag(to) && ref.Tag != "":
		r.note(line, key, "gives a tag to an artifact that is named by its digest, which a mirror spec cannot do: it has no tag in the target")
	case from.Tag != "":
		t.tag, t.as = from.Tag, from.Tag
		if !noTag(to) && ref.Tag != "" {
			t.as = ref.Tag
		}
	}
	r.result.routes = append(r.result.routes, t)
}

// places returns the target registries in their order, and what goes to each.
func (r *Result) places() (names []string, content map[string][]string) {
	content = make(map[string][]string)
	for _, t := range r.routes {
		if t.registry == "" {
			continue // the tool names its target on the command line
		}
		if !slices.Contains(names, t.registry) {
			names = append(names, t.registry)
		}
		content[t.registry] = append(content[t.registry], fmt.Sprintf("%s>%s#%s>%s", t.from, t.path, t.tag, t.as))
	}
	for _, c := range content {
		slices.Sort(c)
	}
	return names, content
}

// targets returns the targets of the spec, or those of several specs: a mirror spec sends every
// source to every target.
func (r *Result) targets() (names []string, same bool) {
	names, content := r.places()
	same = true
	for _, n := range names {
		same = same && slices.Equal(slices.Compact(slices.Clone(content[n])), slices.Compact(slices.Clone(content[names[0]])))
	}
	if ns := r.namespace(); ns != "" {
		for i := range names {
			names[i] += "/" + ns
		}
	}
	return names, same
}

// checkTargets notes what the routes say and a spec cannot.
func (r *Result) checkTargets() {
	names, same := r.targets()
	if len(names) > 1 && !same {
		r.note(r.routes[0], "not every source goes to each of %s: a mirror spec pushes all of its sources to all of its targets; make one spec for each", strings.Join(names, ", "))
	}
	paths, tags := make(map[string]string), make(map[string]string)
	for _, t := range r.routes {
		one := t.from + ":" + t.tag
		if first, ok := paths[t.from]; ok && first != t.path {
			r.note(t, "%s goes to %s and to %s; a mapping has one target, the first", t.from, first, t.path)
			continue
		}
		if first, ok := tags[one]; ok && first != t.as {
			r.note(t, "%s goes to the tags %s and %s; a mapping has one, the first", one, first, t.as)
			continue
		}
		paths[t.from], tags[one] = t.path, t.as
	}
}

func (r *Result) note(t route, format string, a ...any) {
	r.Notes = append(r.Notes, Note{Line: t.line, Key: t.key, Text: fmt.Sprintf(format, a...)})
}

// namespace returns the namespace under which the target keeps every path, or "".
func (r *Result) namespace() string {
	if len(r.routes) == 0 {
		return ""
	}
	first, ok := r.routes[0].namespace()
	for _, t := range r.routes {
		if ns, same := t.namespace(); !ok || !same || ns != first || t.registry == "" {
			return ""
		}
	}
	return first
}

// mappings returns the mappings as YAML values, longer sources first: the first that matches
// wins, and a source matches what is below it.
func (r *Result) mappings() []string {
	renamed := r.renamed()
	ns := r.namespace()
	renaming := make(map[string]bool)
	for _, m := range renamed {
		renaming[m.from] = !m.keeps(ns)
	}
	var all []string
	for _, m := range renamed {
		if len(m.tags) == 0 && m.keeps(ns) && !m.isBelow(renaming) {
			continue
		}
		all = append(all, m.text(ns))
	}
	return all
}

// renames are the mapping of one source.
type renames struct {
	route
	tags [][2]string
}

// renamed returns the routes without doubles, the longest sources first.
func (r *Result) renamed() []renames {
	var all []renames
	at, seen := make(map[string]int), make(map[string]bool)
	for _, t := range r.routes {
		i, ok := at[t.from]
		if !ok {
			i, at[t.from] = len(all), len(all)
			all = append(all, renames{route: t})
		}
		one := t.from + ":" + t.tag
		if all[i].path == t.path && !seen[one] && t.tag != t.as {
			all[i].tags = append(all[i].tags, [2]string{t.tag, t.as})
		}
		seen[one] = true
	}
	slices.SortStableFunc(all, func(a, b renames) int { return strings.Count(b.from, "/") - strings.Count(a.from, "/") })
	return all
}

// keeps reports whether the path is the same without a mapping.
func (m renames) keeps(ns string) bool {
	if m.whole() {
		return m.path == ns
	}
	return m.path == join2(ns, m.kept())
}

func join2(ns, path string) string {
	if ns == "" {
		return path
	}
	return ns + "/" + path
}

// isBelow reports whether another mapping matches the source too, and renames it.
func (m renames) isBelow(renaming map[string]bool) bool {
	for at := strings.LastIndexByte(m.from, '/'); at > 0; at = strings.LastIndexByte(m.from[:at], '/') {
		if renaming[m.from[:at]] {
			return true
		}
	}
	return false
}

// text returns the mapping as a YAML value. A namespace belongs to the target.
func (m renames) text(ns string) string {
	path := m.path
	if ns != "" {
		path = strings.TrimPrefix(strings.TrimPrefix(path, ns), "/")
	}
	f := fields{{"source", quote(m.from)}, {"target", quote(path)}}
	if len(m.tags) > 0 {
		var tags []string
		for _, t := range m.tags {
			tags = append(tags, fields{{"source", quote(t[0])}, {"target", quote(t[1])}}.String())
		}
		f.put("tags", "["+strings.Join(tags, ", ")+"]")
	}
	return f.String()
}
