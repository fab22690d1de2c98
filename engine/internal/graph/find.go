package graph

import (
	"context"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

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
			return old, nil, nil // no registry sent it: the walk takes it from the output
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
