package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Object is a mapping that is read key by key. [Object.End] reports the keys that were not read.
type Object struct {
	Path  string // such as sync[0]
	Line  int
	Names []string // its keys, in the order of the file
	Any   string   // stands for each key in the list of keys, if those are names that a user chose

	r       *Reader
	kind    string // such as sync[]
	entries map[string]*yaml.Node
	lines   map[string]int
	taken   map[string]bool
}

// add adds the entries of a mapping, and after them those of mappings that it merges.
func (o *Object) add(n *yaml.Node, depth int) {
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := strictyaml.Target(n.Content[i]), n.Content[i+1]
		if o.r.values++; o.r.values > maxValues {
			return
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if _, ok := o.entries[key.Value]; !ok {
			o.Names = append(o.Names, key.Value)
			o.entries[key.Value] = strictyaml.Target(value)
			o.lines[key.Value] = key.Line + o.r.before
		}
	}
	for _, m := range merged {
		o.merge(strictyaml.Target(m), depth+1)
	}
}

func (o *Object) merge(m *yaml.Node, depth int) {
	o.r.values++
	switch {
	case depth > 8 || o.r.values > maxValues:
	case m.Kind == yaml.MappingNode:
		o.add(m, depth)
	case m.Kind == yaml.SequenceNode:
		for _, c := range m.Content {
			o.merge(strictyaml.Target(c), depth+1)
		}
	}
}

// kindOf returns the path of a key as the list of keys has it.
func (o *Object) kindOf(key string) string { return join(o.kind, cmp.Or(o.Any, key)) }

// PathOf returns the path of a key.
func (o *Object) PathOf(key string) string { return join(o.Path, key) }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Take returns the value of a key, or nil, and marks the key as read.
func (o *Object) Take(key string) *yaml.Node {
	n := o.entries[key]
	if n == nil {
		return nil
	}
	o.taken[key] = true
	o.r.Met[o.kindOf(key)] = true
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return nil
	}
	return n
}

// Rename gives a key of an older version of a format its present name.
func (o *Object) Rename(old, name string) {
	n := o.entries[old]
	if n == nil || o.entries[name] != nil {
		return
	}
	o.entries[name], o.lines[name] = n, o.lines[old]
	delete(o.entries, old)
	o.Names[slices.Index(o.Names, old)] = name
}

// Skip marks the keys as read for which skip returns true, so that End does not report them.
func (o *Object) Skip(skip func(key string) bool) {
	for _, name := range o.Names {
		o.taken[name] = o.taken[name] || skip(name)
	}
}

// Has reports whether the mapping has a key.
func (o *Object) Has(key string) bool { return o.entries[key] != nil }

// Note reports something about a key.
func (o *Object) Note(key, format string, a ...any) {
	o.r.Note(o.LineOf(key), o.PathOf(key), format, a...)
}

// LineOf returns the line of a key, or that of the mapping.
func (o *Object) LineOf(key string) int {
	if line, ok := o.lines[key]; ok {
		return line
	}
	return o.Line
}

// Text returns the scalar of a key, or "".
func (o *Object) Text(key string) string {
	n := o.Take(key)
	if n == nil {
		return ""
	}
	value, ok := scalar(n)
	if !ok {
		o.Note(key, "expected a text; left out")
	}
	return value
}

// Is reports whether the value of a key is true, in the spellings of YAML and of annotations.
func (o *Object) Is(key string) bool { return isTrue(o.Text(key)) }

// Choice returns the value of a key as Is does, or nil without the key.
func (o *Object) Choice(key string) *bool {
	if !o.Has(key) {
		return nil
	}
	on := o.Is(key)
	return &on
}

func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// Texts returns the scalars of a list; one scalar is a list of one.
func (o *Object) Texts(key string) []Text {
	n := o.Take(key)
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return []Text{{n.Value, o.LineOf(key)}}
	}
	return o.r.scalars(n, o.PathOf(key), o.LineOf(key))
}

// Objects returns the mappings of a list.
func (o *Object) Objects(key string) []*Object {
	n := o.Take(key)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		o.Note(key, "expected a list; left out")
		return nil
	}
	all := make([]*Object, 0, len(n.Content))
	for i, c := range n.Content {
		if o.r.values > maxValues {
			return nil
		}
		all = append(all, o.r.object(c, fmt.Sprintf("%s[%d]", o.PathOf(key), i), join(o.kind, key)+"[]"))
	}
	return all
}

// Child returns the mapping of a key; an empty one if there is none.
func (o *Object) Child(key string) *Object {
	if n := o.Take(key); n != nil {
		return o.r.object(n, o.PathOf(key), o.kindOf(key))
	}
	return &Object{r: o.r, Path: o.PathOf(key), kind: o.kindOf(key), Line: o.Line}
}

// End reports every key that was not read: with the reason why a mirror spec has no
// counterpart, or as unknown.
func (o *Object) End() {
	for _, name := range o.Names {
		if o.taken[name] || strings.HasPrefix(name, "x-") {
			continue
		}
		key, known := o.r.keys[o.kindOf(name)]
		o.r.Met[o.kindOf(name)] = true
		switch {
		case !known:
			o.Note(name, "unknown key; left out")
		case key.Why != "" && !isOff(o.entries[name]):
			o.Note(name, "%s", key.Why)
		}
	}
}

// isOff reports whether a value is false or empty, so that the key asks for nothing.
func isOff(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		return len(n.Content) == 0
	}
	return n.Value == "" || n.ShortTag() == "!!null" || n.Value == "false"
}
