package discover

import (
	"errors"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// maxUnfolded bounds the values of one document that are reached through aliases: a few bytes
// can unfold to billions.
const maxUnfolded = 100_000

// errUnfolds is the error for a document with more.
var errUnfolds = fmt.Errorf("the aliases unfold to more than %d values", maxUnfolded)

// walk looks for images in one document.
type walk struct {
	*build
	manifest *manifest
	before   int // lines of the file before the document
	trail    trail
	object   object
	aliases  int  // that are being followed
	unfolded int  // values that were reached through them
	stopped  bool // there were too many
}

func newWalk(b *build, m *manifest, before int) *walk {
	return &walk{build: b, manifest: m, before: before}
}

// document looks at the root of a document.
func (w *walk) document(d strictyaml.Document) {
	switch root := d.Root; root.Kind {
	case yaml.MappingNode:
		o := w.objectOf(root)
		if isKustomization(o, w.manifest.file) {
			w.object = o
			w.kustomization(root)
			return
		}
		w.value(root)
	case yaml.SequenceNode:
		w.patch(root)
	default:
		w.fault(root, errors.New("not a manifest: expected a mapping"))
	}
}

// patch looks at a list: the operations of a JSON patch, or objects.
func (w *walk) patch(root *yaml.Node) {
	for i, n := range root.Content {
		to, value := strictyaml.Value(n, "path"), strictyaml.Value(n, "value")
		if strictyaml.Value(n, "op") == nil || to == nil || value == nil {
			w.enter(step{index: i}, n)
			continue
		}
		before := len(w.trail)
		w.trail = append(w.trail, pointer(to.Value)...)
		w.field(w.trail.last(), value)
		w.trail = w.trail[:before]
	}
}

// enter looks at a value one step further down.
func (w *walk) enter(s step, n *yaml.Node) {
	w.trail = append(w.trail, s)
	w.field(s.key, n)
	w.trail = w.trail[:len(w.trail)-1]
}

// field looks at the value of a key, and into it.
func (w *walk) field(key string, n *yaml.Node) {
	if key == "reference" || isImageKey(w.trail.last()) {
		w.image(strictyaml.Target(n))
	}
	w.value(n)
}

// value looks into a mapping or a list.
func (w *walk) value(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		return
	}
	if n.Kind == yaml.AliasNode {
		w.aliases++
		defer func() { w.aliases-- }()
		n = n.Alias
	}
	if w.aliases > 0 && !w.unfold(n) {
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		w.mapping(n)
	case yaml.SequenceNode:
		for i, c := range n.Content {
			w.enter(step{index: i}, c)
		}
	}
}

// unfold counts a value that an alias leads to. It reports once that there are too many.
func (w *walk) unfold(n *yaml.Node) bool {
	w.unfolded += 1 + len(n.Content)
	if w.unfolded > maxUnfolded && !w.stopped {
		w.fault(n, errUnfolds)
		w.stopped = true
	}
	return !w.stopped
}

func (w *walk) mapping(n *yaml.Node) {
	outer := w.object
	defer func() { w.object = outer }()
	if o := w.objectOf(n); o.kind != "" {
		w.object = o
		if o.isOurs() || slices.Contains(opaque, o.kind) {
			return
		}
	}
	isObject := w.object.kind != "" && len(w.trail) == w.object.depth
	for _, e := range w.entries(n) {
		if isObject && (e.key == "metadata" || e.key == "status") { // a cluster writes images there
			continue
		}
		w.enter(step{key: e.key}, e.value)
	}
}

// objectOf returns the object that a mapping is; its kind is "" if it is none.
func (w *walk) objectOf(n *yaml.Node) object {
	version, kind := textOf(n, "apiVersion"), textOf(n, "kind")
	if kind == "" || version == "" && len(w.trail) > 0 { // below the root, only a reference to an object
		return object{}
	}
	o := object{group: groupOf(version), kind: kind, depth: len(w.trail)}
	if metadata := strictyaml.Value(n, "metadata"); metadata != nil {
		for _, key := range []string{"name", "generateName"} {
			if name := strictyaml.Value(metadata, key); name != nil && o.name == "" {
				o.name = name.Value
			}
		}
	}
	return o
}

// at returns the place of a value.
func (w *walk) at(n *yaml.Node) Place {
	return Place{File: w.manifest.file, Line: w.before + n.Line, Column: n.Column, Object: w.object.String(), Path: w.trail[w.object.depth:].String()}
}

func (w *walk) fault(n *yaml.Node, err error) {
	w.result.Faults = append(w.result.Faults, Fault{w.at(n), err})
}

func (w *walk) skip(n *yaml.Node, name, reason string) {
	w.result.Skipped = append(w.result.Skipped, Skipped{Name: name, Reason: reason, Place: w.at(n)})
}
