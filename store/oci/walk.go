package oci

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// Node is a manifest or a blob on a walk.
type Node struct {
	ocispec.Descriptor
	Role  Role
	Depth int // 0 for an entry of index.json
}

// Role says what references a node, and with it whether the node is a manifest.
type Role uint8

const (
	Root  Role = iota // index.json or a subject field: it is a manifest
	Child             // an index: its bytes decide, since BuildKit's cache is an index of layers
	Leaf              // another manifest: it is a config or a layer, which references nothing
)

// Parse parses the manifest of a node. A child that is a blob has an empty manifest.
func (n Node) Parse(data []byte) (*Manifest, error) {
	if n.Role == Child {
		return ParseChild(n.Descriptor, data)
	}
	return ParseManifest(n.Descriptor, data)
}

// Decode is Parse within the memory of ctx (bounds.EnterDocument). It returns nil for a blob that
// an index names, and without data.
func (n Node) Decode(ctx context.Context, data []byte) (*Manifest, error) {
	if data == nil {
		return nil, nil
	}
	if err := bounds.EnterDocument(ctx, data); err != nil {
		return nil, err
	}
	m, err := n.Parse(data)
	if err == nil && n.Role == Child && m.IsContent() {
		return nil, nil
	}
	return m, err
}

// Below returns the nodes that the manifest of n references: leaves first, then children,
// but not the subject.
func (n Node) Below(m *Manifest) []Node {
	var below []Node
	for _, leaf := range m.Leaves() {
		below = append(below, Node{leaf, Leaf, n.Depth + 1})
	}
	for _, child := range m.Manifests {
		below = append(below, Node{child, Child, n.Depth + 1})
	}
	return below
}

// Walker walks down from descriptors: from an index to its children, from an image to its
// config and layers. Each digest is visited once in all walks of one Walker, so that a
// circle ends. It is not for concurrent use.
type Walker struct {
	// Visit is called with each node before those below it, and returns them: most often
	// what [Node.Below] returns. Its error ends the walk.
	Visit func(Node) (below []Node, err error)

	// Enter reports whether to visit a node; nil visits each digest once, within the bounds.
	Enter    func(Node) bool
	seen     map[digest.Digest]bool
	children int
}

// Walk visits a node and all nodes below it, depth first. Where they are deeper or more
// than those of any real artifact, the error is bounds.TooDeep or bounds.TooBroad.
func (w *Walker) Walk(n Node) error {
	if ok, err := w.enters(n); !ok || err != nil {
		return err
	}
	below, err := w.Visit(n)
	if err != nil {
		return err
	}
	if err := w.count(n, below); err != nil {
		return err
	}
	for _, b := range below {
		if err := w.Walk(b); err != nil {
			return err
		}
	}
	return nil
}

// enters reports whether to visit a node.
func (w *Walker) enters(n Node) (bool, error) {
	if w.Enter != nil {
		return w.Enter(n), nil
	}
	if w.seen[n.Digest] {
		return false, nil
	}
	if n.Role != Leaf && n.Depth > bounds.Depth {
		return false, fmt.Errorf("%s: %w", n.Digest, bounds.TooDeep)
	}
	if w.seen == nil {
		w.seen = make(map[digest.Digest]bool)
	}
	w.seen[n.Digest] = true
	return true, nil
}

// count bounds the number of children, unless enter does.
func (w *Walker) count(n Node, below []Node) error {
	if w.Enter != nil {
		return nil
	}
	for _, b := range below {
		if b.Role == Child && !w.seen[b.Digest] {
			w.children++
		}
	}
	if w.children > bounds.Manifests {
		return fmt.Errorf("%s: %w", n.Digest, bounds.TooBroad)
	}
	return nil
}
