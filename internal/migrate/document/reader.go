// Package document reads the YAML of other tools key by key. What it does not know, and what has
// no counterpart in a mirror spec, becomes a [Note] instead of an error.
package document

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// maxValues bounds the values that aliases unfold to.
const maxValues = 1 << 20

// Key is a key of another tool: what it becomes, or why it has no counterpart. One with
// neither changes nothing about what is mirrored.
type Key struct {
	Name string // its path, with [] for an element of a list and * for any name
	Ours string
	Why  string
}

// Reader reads the documents of one file.
type Reader struct {
	Notes []Note
	Met   map[string]bool // the keys that the file has, by the names of [Key]

	keys   map[string]Key
	before int // lines of the file before the document
	values int
}

// NewReader returns a reader of files with these keys.
func NewReader(keys []Key) *Reader {
	r := &Reader{Met: make(map[string]bool), keys: make(map[string]Key, len(keys))}
	for _, k := range keys {
		r.keys[k.Name] = k
	}
	return r
}

// Mapping returns a document that is a mapping; an empty one, with a note, if it is none.
func (r *Reader) Mapping(doc strictyaml.Document) *Object {
	r.before = doc.Before
	return r.object(doc.Root, "", "")
}

// List returns the texts of a document that is a list.
func (r *Reader) List(doc strictyaml.Document) []Text {
	r.before = doc.Before
	return r.scalars(strictyaml.Target(doc.Root), "", doc.Root.Line)
}

// TooLarge reports whether aliases unfold to more values than a file may have. What was read is
// not all of it then.
func (r *Reader) TooLarge() bool { return r.values > maxValues }

// Text is a scalar with its line.
type Text struct {
	Value string
	Line  int
}

// Note adds a note about a key; "" stands for the whole document.
func (r *Reader) Note(line int, key, format string, a ...any) {
	r.Notes = append(r.Notes, Note{Line: line, Key: key, Text: Comment(fmt.Sprintf(format, a...))})
}

// object returns the mapping of a node; an empty one, with a note, if it is none.
func (r *Reader) object(n *yaml.Node, path, kind string) *Object {
	o := &Object{r: r, Path: path, kind: kind, Line: n.Line + r.before, entries: make(map[string]*yaml.Node), lines: make(map[string]int), taken: make(map[string]bool)}
	n = strictyaml.Target(n)
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return o
	}
	if n.Kind != yaml.MappingNode {
		r.Note(o.Line, path, "expected a mapping; left out")
		return o
	}
	o.add(n, 0)
	return o
}

// scalar returns the text of a scalar. YAML reads a template without quotes as a mapping whose
// key is a mapping.
func scalar(n *yaml.Node) (string, bool) {
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && strictyaml.Target(n.Content[0]).Kind == yaml.MappingNode {
		return "{{}}", true
	}
	return n.Value, n.Kind == yaml.ScalarNode
}

func (r *Reader) scalars(n *yaml.Node, path string, line int) []Text {
	if n.Kind != yaml.SequenceNode {
		r.Note(line, path, "expected a list; left out")
		return nil
	}
	var all []Text
	for i, c := range n.Content {
		if r.values++; r.values > maxValues {
			return nil
		}
		value, ok := scalar(strictyaml.Target(c))
		if !ok {
			r.Note(c.Line+r.before, fmt.Sprintf("%s[%d]", path, i), "expected a text; left out")
			continue
		}
		all = append(all, Text{value, c.Line + r.before})
	}
	return all
}

// Values returns the values of texts.
func Values(all []Text) []string {
	out := make([]string, len(all))
	for i, t := range all {
		out[i] = t.Value
	}
	return out
}
