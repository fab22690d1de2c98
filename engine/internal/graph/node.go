package graph

import (
	"cmp"
	"context"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// Node is one manifest of the run, whatever number of artifacts, repositories
// or registries share it.
type Node struct {
	Descriptor
	ArtifactType string // as the manifest says
	kind         string // as a list of referrers says
	Known        bool   // what it points at is; else it is carried as bytes alone
	Near         bool   // its bytes came from a disk, whatever names it
	Came         bool   // a registry sent its bytes, too; guarded by graph.mu
	Counted      bool   // in the report
	Index        bool
	Subject      digest.Digest
	leads        *Descriptor          // to its subject, as the manifest describes that; nil: it has none
	Children     []ocispec.Descriptor // of an index: manifests, seldom blobs
	Blobs        []*Blob
	elsewhere    []Descriptor     // layers that no registry has to have; those that are there are leaves of a visit
	called       map[*Blob]string // media types that blobs have here, and another manifest gave otherwise
	Data         []byte           // until it is stored
	away         bool             // it is to be stored, and has to be fetched once more for that
	content      []byte           // of what is a blob where an index names it; nil for others
}

// nodeKey tells manifests apart. Where the bytes say what a manifest is,
// the media type is "": what another repository declares them to be changes nothing.
type nodeKey struct {
	digest    digest.Digest
	size      int64
	mediaType string
}

type pendingNode struct {
	*Node
	sure bool // its bytes alone tell what it is
	err  error
	done chan struct{} // guarded by graph.mu
}

// node fetches and reads a manifest once. A failure is not remembered: another
// repository may have it.
func (g *Graph) node(ctx context.Context, o Origin, at Stop) (*Node, error) {
	plain := nodeKey{at.Desc.Digest, at.Desc.Size, ""}
	declared := plain
	declared.mediaType = cmp.Or(Intern(at.Desc.MediaType), "none")
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

	sent := at.data != nil && !at.child && !OnDisk(o)
	if met {
		at.data = nil // the one ahead may wait for the memory that this one has
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
			g.sent(p.Node, at.Desc.Size)
		}
		return p.Node, nil
	}
	p.Node, p.sure, p.err = g.load(ctx, o, at)
	g.mu.Lock()
	if !p.sure || p.err != nil {
		delete(g.nodes, plain)
	}
	if !p.sure && p.err == nil {
		g.nodes[declared] = p
	}
	g.mu.Unlock()
	g.end(&p.done)
	return p.Node, p.err
}

// load makes a node; sure says that its bytes alone tell what it is.
func (g *Graph) load(ctx context.Context, o Origin, at Stop) (n *Node, sure bool, err error) {
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
		return nil, false, &engine.ArtifactError{Reference: o.Repository() + "@" + at.Desc.Digest.String(), Op: "read", Err: err}
	}
	if m.IsContent() && !keepsContent(data) && at.child {
		return nil, false, errBlob
	}
	n = g.makeNode(o, at.Desc, m)
	if m.IsContent() && len(data) <= maxContent {
		n.content = data
	}
	n.Near = from == fromDisk
	if from == fromRegistry {
		g.sent(n, int64(len(data)))
	}
	stored, err := g.Cache.Keep(at.Desc, data)
	if err != nil {
		return nil, false, err
	}
	if !stored {
		g.keep(n, data)
	}
	return n, !m.IsDeclared(), nil
}

const (
	// maxContent is the largest blob that is kept because an index names it: what is
	// larger is fetched once more, as a blob.
	maxContent = 1 << 20
	// maxKept bounds the manifests that wait for their turn in an archive. Those of
	// 1,000 images have 2 MiB.
	maxKept = 16 << 20
)

func keepsContent(data []byte) bool {
	return len(data) <= maxContent && bounds.Take(int64(len(data))) == nil
}

// keep holds the bytes of a manifest until it is written, if they are not too many.
func (g *Graph) keep(n *Node, data []byte) {
	if size := int64(len(data)); g.kept.Add(size) > maxKept {
		g.kept.Add(-size)
		n.away = true
		return
	}
	n.Data = data
}

// StoreManifest puts a manifest into the output where it is first met. One that was too
// large to be kept is fetched once more; lost says why that failed.
func (g *Graph) StoreManifest(ctx context.Context, v *Visit, put func(ocispec.Descriptor, []byte) error) (lost, failed error) {
	n := v.Node
	if n.Data != nil {
		data := n.Data
		n.Data = nil
		g.kept.Add(-int64(len(data)))
		return nil, put(n.OCI(), data)
	}
	if !n.away {
		return nil, nil
	}
	ctx, done := g.lane.Begin(ctx)
	defer done()
	data, err := v.Origin.Manifest(ctx, n.OCI())
	if err != nil {
		return err, nil
	}
	n.away = false
	return nil, put(n.OCI(), data)
}

// Drop lets go of the bytes of a manifest that no output takes.
func (n *Node) Drop() { n.Data, n.away = nil, false }

// What the plan keeps of a manifest, with the artifact or the visit that it belongs
// to, of a blob (128 bytes for its records, 80 for its digest, the rest for lists, the
// map and a transfer), and of one that it knows already.
const (
	nodeMemory      = 650
	blobMemory      = 320
	knownBlobMemory = 32
)

// room counts what is going to be kept of a manifest.
func (g *Graph) room(m *store.Manifest) error {
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
	return bounds.Take(n)
}

func (g *Graph) makeNode(o Origin, desc ocispec.Descriptor, m *store.Manifest) *Node {
	desc.MediaType = m.MediaType
	n := &Node{Descriptor: Compact(desc), ArtifactType: Intern(m.ArtifactType), kind: Intern(m.Kind()), Known: m.IsKnown(), Index: m.IsIndex(), Children: lean(m.Manifests)}
	if m.Subject != nil {
		subject := Compact(*m.Subject)
		n.Subject, n.leads = subject.Digest, &subject
	}
	for _, b := range m.Leaves() {
		if store.IsElsewhere(b) && !store.HasInline(b) {
			n.elsewhere = append(n.elsewhere, Compact(b))
			continue
		}
		n.addBlob(g.Blob(b, o), Intern(b.MediaType))
	}
	return n
}

// lean are the children of an index as far as a plan asks for them: what else their
// descriptors say may be more than all the rest of it.
func lean(children []ocispec.Descriptor) []ocispec.Descriptor {
	var lean []ocispec.Descriptor
	for _, c := range children {
		c.URLs = nil
		if _, is := store.AttestationOf(c); !is {
			c.Annotations = nil
		}
		lean = append(lean, c)
	}
	return lean
}

func (n *Node) addBlob(b *Blob, mediaType string) {
	n.Blobs = append(n.Blobs, b)
	if b.MediaType == mediaType {
		return
	}
	if n.called == nil {
		n.called = make(map[*Blob]string)
	}
	n.called[b] = mediaType
}

// typeOf is the media type that a manifest gives one of its blobs.
func (n *Node) typeOf(b *Blob) string {
	if mediaType, otherwise := n.called[b]; otherwise {
		return mediaType
	}
	return b.MediaType
}
