package graph

import (
	"context"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Cache gives access to the content that the output of a run already holds. Calls are
// concurrent.
type Cache interface {
	// Named returns the root that the output has under the name of an entry.
	Named(name string) (ocispec.Descriptor, bool)
	// Manifest returns a manifest that the output has, nil if it has not; blob says
	// that it has the bytes and that they are no manifest.
	Manifest(n oci.Node) (data []byte, blob bool)
	// Keep takes a manifest that was fetched. It returns false where the bytes have to
	// wait in memory for their turn.
	Keep(desc ocispec.Descriptor, data []byte) (bool, error)
}

// NoCache is an empty Cache that keeps nothing.
type NoCache struct{}

func (NoCache) Named(string) (ocispec.Descriptor, bool) { return ocispec.Descriptor{}, false }

func (NoCache) Manifest(oci.Node) ([]byte, bool) { return nil, false }

func (NoCache) Keep(ocispec.Descriptor, []byte) (bool, error) { return false, nil }

// LayoutCache is a layout that a run reads and does not write.
type LayoutCache struct{ store.Layout }

func (c LayoutCache) Named(name string) (ocispec.Descriptor, bool) {
	e, ok := c.Index().Lookup(name)
	return e.Descriptor(), ok
}

// Manifest leaves out a damaged manifest, so that it is fetched again.
func (c LayoutCache) Manifest(n oci.Node) ([]byte, bool) {
	if size, err := c.Stat(n.Digest); err != nil || size != n.Size {
		return nil, false
	}
	if n.Role != oci.Child {
		data, _ := store.ReadManifest(c.Layout, n.Descriptor)
		return data, false
	}
	data, err := store.ReadChild(c.Layout, n.Descriptor)
	return data, err == nil && data == nil
}

func (LayoutCache) Keep(ocispec.Descriptor, []byte) (bool, error) { return false, nil }

// Root finds a root, and reads its manifest where the answer has that; refers tells
// whether it refers to another manifest.
func (g *Graph) Root(ctx context.Context, o origin.Origin, ref config.Reference) (found content.Descriptor, data []byte, refers bool, err error) {
	ctx, done := g.lane.Begin(ctx)
	defer done()
	desc, data, err := g.find(ctx, o, ref)
	if err != nil || data == nil {
		return content.Of(desc), data, false, err
	}
	n, err := g.node(ctx, o, rootStop(desc, 0).with(data))
	if err != nil {
		return content.Of(desc), data, false, err
	}
	return n.Descriptor, data, n.leads != nil, nil
}

// find asks for a root in the cheapest way: not at all for a digest that the output
// has, by a HEAD for a tag that it has, else by one GET for descriptor and manifest.
func (g *Graph) find(ctx context.Context, o origin.Origin, ref config.Reference) (ocispec.Descriptor, []byte, error) {
	old, stored := g.Cache.Named(ref.EntryName())
	if _, ok := g.Cache.(Recorder); ok && stored && ref.Digest == old.Digest {
		return old, nil, nil
	}
	if stored && ref.Digest == old.Digest {
		if err := bounds.Enter(ctx, min(old.Size, oci.MaxManifest)); err != nil {
			return old, nil, err
		}
		if data, _ := g.Cache.Manifest(oci.Node{Descriptor: old}); data != nil {
			return old, data, nil
		}
	}
	if !stored {
		return o.Open(ctx, ref)
	}
	desc, err := o.Resolve(ctx, ref)
	if err != nil {
		return desc, nil, err
	}
	if desc.Digest == old.Digest {
		desc = old
	}
	return desc, nil, nil
}
