package store

import (
	"context"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// role tells by what points at a blob what may be below it.
type role uint8

const (
	asLeaf  role = iota // a manifest that is no index: nothing is
	asChild             // an index: its bytes tell
	asRoot              // index.json: it is a manifest
)

// entryWalk is the way through one entry's graph.
type entryWalk struct {
	*verifier
	root      claim // to be blamed for what goes beyond a limit: others may share the rest
	platforms string
	subjects  bool // what is referred to belongs to the graph
	manifests int  // met below the entry
}

func walkOf(v *verifier, e *Entry) *entryWalk {
	return &entryWalk{verifier: v, root: claim{e.Digest, e.Size}, platforms: e.Platforms, subjects: e.Name != ""}
}

// visit notes a blob and, below a manifest, all that it points at.
func (w *entryWalk) visit(desc ocispec.Descriptor, as role, depth int) {
	if as != asLeaf && depth > bounds.Depth {
		w.blame(w.root.digest, w.root.size, bounds.TooDeep)
		return
	}
	at := step{claim{desc.Digest, desc.Size}, plainType(desc.MediaType), w.platforms, w.subjects}
	if !w.reach(desc, as, at, depth) {
		return
	}
	c, err := w.contents(desc, as)
	if c.blob {
		w.isBlob(at)
		return
	}
	if first := w.isManifest(desc, c); err == nil && first {
		w.blame(w.root.digest, w.root.size, w.count(c.children))
		err = w.progress(desc.Size)
	}
	w.blame(desc.Digest, desc.Size, err)
	if w.manifests > bounds.Manifests {
		return
	}
	for _, c := range c.children {
		w.visit(c.desc, c.as, depth+1)
	}
}

// contents is the part of a manifest that a walk needs.
type contents struct {
	children []child // what has to be there, or is
	subject  digest.Digest
	index    bool
	blob     bool // it is no manifest, but a blob that an index names
}

// child is content that a manifest points at.
type child struct {
	desc ocispec.Descriptor
	as   role
}

// contents reads a manifest, unless there is more in it than any artifact has.
func (w *entryWalk) contents(desc ocispec.Descriptor, as role) (contents, error) {
	ctx, done := w.lane.Begin(w.ctx)
	defer done()
	m, err := w.parse(ctx, desc, as)
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
	add := func(d ocispec.Descriptor, as role, optional bool) {
		if !optional || !w.source.absent(d.Digest) {
			c.children = append(c.children, child{ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}, as})
		}
	}
	for _, leaf := range m.Leaves() {
		add(leaf, asLeaf, IsElsewhere(leaf) || HasInline(leaf))
	}
	for _, d := range m.Manifests {
		add(d, asChild, leftOut(w.platforms, m, d))
	}
	if w.subjects && m.Subject != nil {
		add(*m.Subject, asRoot, true)
	}
	return c, err
}

// count adds up the manifests of the entry.
func (w *entryWalk) count(children []child) error {
	for _, c := range children {
		if c.as == asChild {
			w.manifests++
		}
	}
	if w.manifests > bounds.Manifests {
		return bounds.TooBroad
	}
	return nil
}

// parse reads what may be a manifest; nil where it is a blob that an index names.
func (v *verifier) parse(ctx context.Context, desc ocispec.Descriptor, as role) (*Manifest, error) {
	if err := bounds.Enter(ctx, min(desc.Size, MaxManifest)); err != nil {
		return nil, err
	}
	read, parse := v.source.manifest, ParseManifest
	if as == asChild {
		read, parse = v.source.child, ParseChild
	}
	data, err := read(desc)
	if data == nil || err != nil {
		return nil, err
	}
	if err := bounds.EnterDocument(ctx, data); err != nil {
		return nil, err
	}
	m, err := parse(desc, data)
	if err == nil && as == asChild && m.IsContent() {
		return nil, nil
	}
	return m, err
}
