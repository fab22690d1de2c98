package draft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
)

// Route says where a source goes: a repository, or all of a registry.
type Route struct {
	Line     int
	Key      string
	From     string // REGISTRY/REPOSITORY, or REGISTRY
	Registry string // of the target
	Path     string // in the target; a namespace, if from is a registry
	Tag      string // in the source; "" means that tags keep their names
	As       string // the tag in the target
}

// whole reports whether the route is one of a whole registry.
func (t Route) whole() bool { return !strings.Contains(t.From, "/") }

// kept returns the path that the source has without a mapping.
func (t Route) kept() string {
	_, path, _ := strings.Cut(t.From, "/")
	return path
}

// namespace returns the namespace of the target under which the path of the source is kept, or
// false if the path differs.
func (t Route) namespace() (string, bool) {
	if t.whole() {
		return t.Path, true
	}
	if t.Path == t.kept() {
		return "", true
	}
	return strings.CutSuffix(t.Path, "/"+t.kept())
}

// Routes has the routes of all sources, in their order.
type Routes []Route

// places returns the target registries in their order, and what goes to each.
func (r Routes) places() (names []string, content map[string][]string) {
	content = make(map[string][]string)
	for _, t := range r {
		if t.Registry == "" {
			continue // the tool names its target on the command line
		}
		if !slices.Contains(names, t.Registry) {
			names = append(names, t.Registry)
		}
		content[t.Registry] = append(content[t.Registry], fmt.Sprintf("%s>%s#%s>%s", t.From, t.Path, t.Tag, t.As))
	}
	for _, c := range content {
		slices.Sort(c)
	}
	return names, content
}

// targets returns the targets of the spec, or those of several specs: a mirror spec sends every
// source to every target.
func (r Routes) targets() (names []string, same bool) {
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

// check notes what the routes say and a spec cannot.
func (r Routes) check() []document.Note {
	var notes []document.Note
	note := func(t Route, format string, a ...any) {
		notes = append(notes, document.Note{Line: t.Line, Key: t.Key, Text: fmt.Sprintf(format, a...)})
	}
	names, same := r.targets()
	if len(names) > 1 && !same {
		note(r[0], "not every source goes to each of %s: a mirror spec pushes all of its sources to all of its targets; make one spec for each", strings.Join(names, ", "))
	}
	paths, tags := make(map[string]string), make(map[string]string)
	for _, t := range r {
		one := t.From + ":" + t.Tag
		if first, ok := paths[t.From]; ok && first != t.Path {
			note(t, "%s goes to %s and to %s; a mapping has one target, the first", t.From, first, t.Path)
			continue
		}
		if first, ok := tags[one]; ok && first != t.As {
			note(t, "%s goes to the tags %s and %s; a mapping has one, the first", one, first, t.As)
			continue
		}
		paths[t.From], tags[one] = t.Path, t.As
	}
	return notes
}

// namespace returns the namespace under which the target keeps every path, or "".
func (r Routes) namespace() string {
	if len(r) == 0 {
		return ""
	}
	first, ok := r[0].namespace()
	for _, t := range r {
		if ns, same := t.namespace(); !ok || !same || ns != first || t.Registry == "" {
			return ""
		}
	}
	return first
}

// mappings returns the mappings as YAML values, longer sources first: the first that matches
// wins, and a source matches what is below it.
func (r Routes) mappings() []string {
	renamed := r.renamed()
	ns := r.namespace()
	renaming := make(map[string]bool)
	for _, m := range renamed {
		renaming[m.From] = !m.keeps(ns)
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
	Route
	tags [][2]string
}

// renamed returns the routes without doubles, the longest sources first.
func (r Routes) renamed() []renames {
	var all []renames
	at, seen := make(map[string]int), make(map[string]bool)
	for _, t := range r {
		i, ok := at[t.From]
		if !ok {
			i, at[t.From] = len(all), len(all)
			all = append(all, renames{Route: t})
		}
		one := t.From + ":" + t.Tag
		if all[i].Path == t.Path && !seen[one] && t.Tag != t.As {
			all[i].tags = append(all[i].tags, [2]string{t.Tag, t.As})
		}
		seen[one] = true
	}
	slices.SortStableFunc(all, func(a, b renames) int { return strings.Count(b.From, "/") - strings.Count(a.From, "/") })
	return all
}

// keeps reports whether the path is the same without a mapping.
func (m renames) keeps(ns string) bool {
	if m.whole() {
		return m.Path == ns
	}
	return m.Path == below(ns, m.kept())
}

// below returns a path in a namespace, which may be "".
func below(ns, path string) string {
	if ns == "" {
		return path
	}
	return ns + "/" + path
}

// isBelow reports whether another mapping matches the source too, and renames it.
func (m renames) isBelow(renaming map[string]bool) bool {
	for at := strings.LastIndexByte(m.From, '/'); at > 0; at = strings.LastIndexByte(m.From[:at], '/') {
		if renaming[m.From[:at]] {
			return true
		}
	}
	return false
}

// text returns the mapping as a YAML value. A namespace belongs to the target.
func (m renames) text(ns string) string {
	path := m.Path
	if ns != "" {
		path = strings.TrimPrefix(strings.TrimPrefix(path, ns), "/")
	}
	f := fields{{"source", quote(m.From)}, {"target", quote(path)}}
	if len(m.tags) > 0 {
		var tags []string
		for _, t := range m.tags {
			tags = append(tags, fields{{"source", quote(t[0])}, {"target", quote(t[1])}}.String())
		}
		f.put("tags", "["+strings.Join(tags, ", ")+"]")
	}
	return f.String()
}
