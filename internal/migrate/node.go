package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// maxValues bounds the values that aliases unfold to.
const maxValues = 1 << 20

// reader reads one file.
type reader struct {
	keys   map[string]Key
	before int // lines of the file before the document
	values int
	met    map[string]bool // the keys that the file has
	added  map[string]bool // the sources, by their text
	result Result
}

// text is a scalar with its line.
type text struct {
	value string
	line  int
}

// object is a mapping that is read key by key. Its end reports the keys that were not read.
type object struct {
	r       *reader
	path    string // such as sync[0]
	kind    string // such as sync[]
	line    int
	names   []string
	entries map[string]*yaml.Node
	lines   map[string]int
	taken   map[string]bool
	any     string // stands for each key in the list of keys, if those are names that a user chose
}

func textAt(n *yaml.Node, key string) string {
	value := strictyaml.Value(n, key)
	if value == nil || value.Kind != yaml.ScalarNode {
		return ""
	}
	return value.Value
}

func (r *reader) note(line int, key, format string, a ...any) {
	r.result.Notes = append(r.result.Notes, Note{Line: line, Key: key, Text: comment(fmt.Sprintf(format, a...))})
}

// object returns the mapping of a node; an empty one, with a note, if it is none.
func (r *reader) object(n *yaml.Node, path, kind string) *object {
	o := &object{r: r, path: path, kind: kind, line: n.Line + r.before, entries: make(map[string]*yaml.Node), lines: make(map[string]int), taken: make(map[string]bool)}
	n = strictyaml.Target(n)
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return o
	}
	if n.Kind != yaml.MappingNode {
		r.note(o.line, path, "expected a mapping; left out")
		return o
	}
	o.add(n, 0)
	return o
}

// add adds the entries of a mapping, and after them those of mappings that it merges.
func (o *object) add(n *yaml.Node, depth int) {
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
			o.names = append(o.names, key.Value)
			o.entries[key.Value] = strictyaml.Target(value)
			o.lines[key.Value] = key.Line + o.r.before
		}
	}
	for _, m := range merged {
		o.merge(strictyaml.Target(m), depth+1)
	}
}

func (o *object) merge(m *yaml.Node, depth int) {
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
func (o *object) kindOf(key string) string { return join(o.kind, cmp.Or(o.any, key)) }

// pathOf returns the path of a key.
func (o *object) pathOf(key string) string { return join(o.path, key) }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// take returns the value of a key, or nil, and marks the key as read.
func (o *object) take(key string) *yaml.Node {
	n := o.entries[key]
	if n == nil {
		return nil
	}
	o.taken[key] = true
	o.r.met[o.kindOf(key)] = true
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return nil
	}
	return n
}

// rename gives a key of an older version of a format its present name.
func (o *object) rename(old, name string) {
	n := o.entries[old]
	if n == nil || o.entries[name] != nil {
		return
	}
	o.entries[name], o.lines[name] = n, o.lines[old]
	delete(o.entries, old)
	o.names[slices.Index(o.names, old)] = name
}

func (o *object) has(key string) bool { return o.entries[key] != nil }

// note reports something about a key.
func (o *object) note(key, format string, a ...any) {
	o.r.note(o.lineOf(key), o.pathOf(key), format, a...)
}

func (o *object) lineOf(key string) int {
	if line, ok := o.lines[key]; ok {
		return line
	}
	return o.line
}

// text returns the scalar of a key, or "".
func (o *object) text(key string) string {
	n := o.take(key)
	if n == nil {
		return ""
	}
	value, ok := scalar(n)
	if !ok {
		o.note(key, "expected a text; left out")
	}
	return value
}

// scalar returns the text of a scalar. YAML reads a template without quotes as a mapping whose
// key is a mapping.
func scalar(n *yaml.Node) (string, bool) {
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && strictyaml.Target(n.Content[0]).Kind == yaml.MappingNode {
		return "{{}}", true
	}
	return n.Value, n.Kind == yaml.ScalarNode
}

// is reports whether the value of a key is true, in the spellings of YAML and of annotations.
func (o *object) is(key string) bool { return isTrue(o.text(key)) }

// choice returns the value of a key as is does, or nil without the key.
func (o *object) choice(key string) *bool {
	if !o.has(key) {
		return nil
	}
	on := o.is(key)
	return &on
}

func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// texts returns the scalars of a list; one scalar is a list of one.
func (o *object) texts(key string) []text {
	n := o.take(key)
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return []text{{n.Value, o.lineOf(key)}}
	}
	return o.r.scalars(n, o.pathOf(key), o.lineOf(key))
}

func (r *reader) scalars(n *yaml.Node, path string, line int) []text {
	if n.Kind != yaml.SequenceNode {
		r.note(line, path, "expected a list; left out")
		return nil
	}
	var all []text
	for i, c := range n.Content {
		if r.values++; r.values > maxValues {
			return nil
		}
		value, ok := scalar(strictyaml.Target(c))
		if !ok {
			r.note(c.Line+r.before, fmt.Sprintf("%s[%d]", path, i), "expected a text; left out")
			continue
		}
		all = append(all, text{value, c.Line + r.before})
	}
	return all
}

func values(all []text) []string {
	out := make([]string, len(all))
	for i, t := range all {
		out[i] = t.value
	}
	return out
}

// objects returns the mappings of a list.
func (o *object) objects(key string) []*object {
	n := o.take(key)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		o.note(key, "expected a list; left out")
		return nil
	}
	all := make([]*object, 0, len(n.Content))
	for i, c := range n.Content {
		if o.r.values > maxValues {
			return nil
		}
		all = append(all, o.r.object(c, fmt.Sprintf("%s[%d]", o.pathOf(key), i), join(o.kind, key)+"[]"))
	}
	return all
}

// child returns the mapping of a key; an empty one if there is none.
func (o *object) child(key string) *object {
	if n := o.take(key); n != nil {
		return o.r.object(n, o.pathOf(key), join(o.kind, key))
	}
	return &object{r: o.r, path: o.pathOf(key), kind: join(o.kind, key), line: o.line}
}
