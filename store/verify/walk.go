package verify

import (
	"context"
	"errors"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// entryWalk walks the graph of one entry. Others run concurrently, and the parts that they
// have walked are skipped.
type entryWalk struct {
	*Verifier
	root      sizedDigest // blamed if the graph exceeds a limit: other entries may share the rest
	platforms string
	subjects  bool // subjects belong to the graph
	manifests int  // below the entry
}

func newEntryWalk(v *Verifier, e *oci.Entry) *entryWalk {
	return &entryWalk{Verifier: v, root: sizedDigest{e.Digest, e.Size}, platforms: e.Platforms, subjects: e.Name != ""}
}

// key returns the key of the walks of a node.
func (w *entryWalk) key(n oci.Node) walkKey {
	return walkKey{sizedDigest{n.Digest, n.Size}, oci.PlainType(n.MediaType), w.platforms, w.subjects}
}

// enter records a node, and reports whether it is a manifest to read.
func (w *entryWalk) enter(n oci.Node) bool {
	if n.Role != oci.Leaf && n.Depth > bounds.Depth {
		w.Blame(w.root.digest, w.root.size, bounds.TooDeep)
		return false
	}
	return w.reach(n, w.key(n))
}

// visit reads a manifest and returns the nodes below it. Faults do not end the walk.
func (w *entryWalk) visit(n oci.Node) ([]oci.Node, error) {
	c, err := w.contents(n)
	if c.blob {
		w.isBlob(w.key(n))
		return nil, nil
	}
	if first := w.isManifest(n.Descriptor, c); err == nil && first {
		w.Blame(w.root.digest, w.root.size, w.count(c.below))
		err = w.Progress(n.Size)
	}
	w.Blame(n.Digest, n.Size, err)
	if w.manifests > bounds.Manifests {
		return nil, nil
	}
	return c.below, nil
}

// contents is the part of a manifest that a walk needs.
type contents struct {
	below   []oci.Node // that must be present, or are
	subject digest.Digest
	index   bool
	blob    bool // not a manifest, but a blob in an index
}

// contents reads a manifest; one with more children than any real artifact is an error.
func (w *entryWalk) contents(n oci.Node) (contents, error) {
	ctx, done := w.lane.Begin(w.ctx)
	defer done()
	m, err := w.parse(ctx, n)
	if m == nil {
		return contents{blob: err == nil}, err
	}
	c := contents{index: m.IsIndex()}
	if m.Subject != nil {
		c.subject = m.Subject.Digest
	}
	if len(m.Manifests) > bounds.Manifests {
		return c, bounds.TooBroad
	}
	all := n.Below(m)
	if w.subjects && m.Subject != nil {
		all = append(all, oci.Node{Descriptor: *m.Subject, Role: oci.Root, Depth: n.Depth + 1})
	}
	for _, b := range all {
		if !w.isOptional(m, b) || !w.isAbsent(b) {
			b.Descriptor = ocispec.Descriptor{MediaType: b.MediaType, Digest: b.Digest, Size: b.Size} // the rest takes memory
			c.below = append(c.below, b)
		}
	}
	return c, err
}

// isOptional reports whether a node that m references may be absent.
func (w *entryWalk) isOptional(m *oci.Manifest, n oci.Node) bool {
	switch n.Role {
	case oci.Leaf:
		return oci.IsElsewhere(n.Descriptor) || oci.HasInline(n.Descriptor)
	case oci.Child:
		return oci.IsLeftOut(w.platforms, m, n.Descriptor)
	}
	return true // a subject
}

// isAbsent reports whether a node that may be absent is so.
func (w *entryWalk) isAbsent(n oci.Node) bool {
	if n.Role == oci.Leaf {
		return w.source.Absent(n.Digest)
	}
	return w.source.Unselected(n.Digest)
}

// count adds up the manifests of the entry.
func (w *entryWalk) count(below []oci.Node) error {
	for _, b := range below {
		if b.Role == oci.Child {
			w.manifests++
		}
	}
	if w.manifests > bounds.Manifests {
		return bounds.TooBroad
	}
	return nil
}

// parse reads a node that may be a manifest; nil if it is a blob in an index.
func (v *Verifier) parse(ctx context.Context, n oci.Node) (*oci.Manifest, error) {
	if err := bounds.Enter(ctx, min(n.Size, oci.MaxManifest)); err != nil {
		return nil, err
	}
	read := v.source.Manifest
	if n.Role == oci.Child {
		read = v.source.Child
	}
	data, err := read(n.Descriptor)
	if n.Role == oci.Child && errors.Is(err, fs.ErrNotExist) && v.Delta.Leaves(n.Descriptor) {
		return nil, nil // a blob in an index
	}
	if err != nil {
		return nil, err
	}
	return n.Decode(ctx, data)
}
