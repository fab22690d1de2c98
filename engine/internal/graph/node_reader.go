package graph

import (
	"context"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// node fetches and reads a manifest once. A failure is not remembered: another
// repository may have it.
func (g *Graph) node(ctx context.Context, o origin.Origin, at stop) (*Node, error) {
	plain, declared := nodeKeys(at.Descriptor)
	g.mu.Lock()
	p := g.nodes[declared]
	same := p != nil
	if !same { // the declarations differ: the bytes may tell
		p = g.nodes[plain]
	}
	met := p != nil
	if !met {
		p = &pendingNode{done: make(chan struct{})}
		g.nodes[plain] = p
	}
	done := p.done
	g.mu.Unlock()

	sent := at.body != nil && !at.isChild() && !origin.OnDisk(o)
	if met {
		at.body = nil // the one ahead may wait for the memory that this one has
		bounds.Leave(ctx)
		select {
		case <-done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if p.err != nil || !p.sure && !same {
			return g.node(ctx, o, at)
		}
		g.alsoAt(p.Node, o)
		if sent {
			g.sent(p.Node, at.Size)
		}
		return p.Node, nil
	}
	p.Node, p.sure, p.err = g.load(ctx, o, at)
	g.register(p, plain, declared)
	return p.Node, p.err
}

// register keeps a node under the key that its bytes allow, unless reading it failed, and
// wakes the calls that wait for it.
func (g *Graph) register(p *pendingNode, plain, declared nodeKey) {
	g.mu.Lock()
	if !p.sure || p.err != nil {
		delete(g.nodes, plain)
	}
	if !p.sure && p.err == nil {
		g.nodes[declared] = p
	}
	g.mu.Unlock()
	g.end(&p.done)
}

// load makes a node; sure says that its bytes alone tell its kind.
func (g *Graph) load(ctx context.Context, o origin.Origin, at stop) (n *Node, sure bool, err error) {
	ctx, done := g.lane.Begin(ctx)
	defer done()
	data, from, err := g.bytes(ctx, o, at)
	if err != nil {
		return nil, false, err
	}
	m, err := at.parse(ctx, data)
	if err == nil {
		err = g.room(m)
	}
	if err != nil {
		return nil, false, &engine.ArtifactError{Reference: o.Repository() + "@" + at.Digest.String(), Op: "read", Err: err}
	}
	if m.IsContent() && !g.keepsContent(data) && at.isChild() {
		return nil, false, errBlob
	}
	n = g.makeNode(o, at.Descriptor, m)
	if m.IsContent() && len(data) <= maxContent {
		n.content = data
	}
	if at.signs {
		g.keepRaw(n, data)
	}
	n.Near = from == fromDisk
	if from == fromRegistry {
		g.sent(n, int64(len(data)))
	}
	stored, err := g.Cache.Keep(at.Descriptor, data)
	if err != nil {
		return nil, false, err
	}
	if !stored {
		g.keep(n, data)
	}
	return n, !m.IsDeclared(), nil
}

// maxContent bounds a blob that is kept because an index names it: a larger one is fetched
// once more, as a blob.
const maxContent = 1 << 20

// keepsContent reports whether a blob is small enough to be kept, and counts its memory.
func (g *Graph) keepsContent(data []byte) bool {
	return len(data) <= maxContent && g.take(int64(len(data))) == nil
}

// The memory, in bytes, that a plan takes for a manifest, with the artifact or the visit that
// it belongs to, for a blob (128 bytes for its records, 80 for its digest, the rest for lists,
// the map and a transfer), and for a blob that it knows already.
const (
	nodeMemory      = 650
	blobMemory      = 320
	knownBlobMemory = 32
)

// room counts the memory that a manifest will take.
func (g *Graph) room(m *oci.Manifest) error {
	n := int64(nodeMemory + len(m.MediaType) + len(m.ArtifactType))
	for _, child := range lean(m.Manifests) {
		n += bounds.DescriptorMemory(&child)
	}
	g.mu.Lock()
	for _, leaf := range m.Leaves() {
		n += knownBlobMemory + int64(len(leaf.MediaType)+len(leaf.Data))
		if g.blobs[leaf.Digest].sized(leaf.Size) == nil {
			n += blobMemory
		}
	}
	g.mu.Unlock()
	return g.take(n)
}

// take reserves memory that the graph keeps.
func (g *Graph) take(n int64) error {
	err := bounds.Take(n)
	if err == nil {
		g.taken.Add(n)
	}
	return err
}

func (g *Graph) makeNode(o origin.Origin, desc ocispec.Descriptor, m *oci.Manifest) *Node {
	desc.MediaType = m.MediaType
	n := &Node{Descriptor: content.Of(desc), ArtifactType: content.Intern(m.ArtifactType), kind: content.Intern(m.Kind()), Known: m.IsKnown(), Index: m.IsIndex(), Children: lean(m.Manifests)}
	if m.Subject != nil {
		subject := content.Of(*m.Subject)
		n.Subject, n.leads = subject.Digest, &subject
	}
	for _, b := range m.Leaves() {
		if oci.IsElsewhere(b) && !oci.HasInline(b) {
			n.elsewhere = append(n.elsewhere, content.Of(b))
			continue
		}
		n.addBlob(g.Blob(b, o), content.Intern(b.MediaType))
	}
	return n
}
