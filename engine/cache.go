package engine

import (
	"context"
	"errors"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// cache is what the output of a run holds already. Calls are concurrent.
type cache interface {
	// Named returns the root that the output has under the name of an entry.
	Named(name string) (ocispec.Descriptor, bool)
	// Manifest returns a manifest that the output has, nil if it has not; blob says
	// that it has the bytes and that they are no manifest.
	Manifest(at stop) (data []byte, blob bool)
	// Keep takes a manifest that was fetched. It returns false where the bytes have to
	// wait in memory for their turn.
	Keep(desc ocispec.Descriptor, data []byte) (bool, error)
}

// noCache has nothing and keeps nothing.
type noCache struct{}

func (noCache) Named(string) (ocispec.Descriptor, bool) { return ocispec.Descriptor{}, false }

func (noCache) Manifest(stop) ([]byte, bool) { return nil, false }

func (noCache) Keep(ocispec.Descriptor, []byte) (bool, error) { return false, nil }

// layoutCache is a layout that a run reads and does not write.
type layoutCache struct{ store.Layout }

func (c layoutCache) Named(name string) (ocispec.Descriptor, bool) {
	e, ok := c.Index().Lookup(name)
	return e.Descriptor(), ok
}

// Manifest leaves out a damaged manifest, so that it is fetched again.
func (c layoutCache) Manifest(at stop) ([]byte, bool) {
	if size, err := c.Stat(at.desc.Digest); err != nil || size != at.desc.Size {
		return nil, false
	}
	data, err := at.stored(c.Layout)
	return data, errors.Is(err, errBlob)
}

func (layoutCache) Keep(ocispec.Descriptor, []byte) (bool, error) { return false, nil }

// root finds a root, and reads its manifest where the answer has that; refers tells
// whether it refers to another manifest.
func (g *graph) root(ctx context.Context, o origin, ref config.Reference) (found descriptor, data []byte, refers bool, err error) {
	ctx, done := g.lane.Begin(ctx)
	defer done()
	desc, data, err := g.find(ctx, o, ref)
	if err != nil || data == nil {
		return compact(desc), data, false, err
	}
	n, err := g.node(ctx, o, stop{desc: desc, data: data})
	if err != nil {
		return compact(desc), data, false, err
	}
	return n.descriptor, data, n.leads != nil, nil
}

// find asks for a root in the cheapest way: not at all for a digest that the output
// has, by a HEAD for a tag that it has, else by one GET for descriptor and manifest.
func (g *graph) find(ctx context.Context, o origin, ref config.Reference) (ocispec.Descriptor, []byte, error) {
	old, stored := g.Cache.Named(ref.EntryName())
	if stored && ref.Digest == old.Digest {
		if err := bounds.Enter(ctx, min(old.Size, store.MaxManifest)); err != nil {
			return old, nil, err
		}
		if data, _ := g.Cache.Manifest(stop{desc: old}); data != nil {
			return old, data, nil
		}
	}
	if !stored {
		return o.open(ctx, ref)
	}
	desc, err := o.resolve(ctx, ref)
	if err != nil {
		return desc, nil, err
	}
	if desc.Digest == old.Digest {
		desc = old
	}
	return desc, nil, nil
}
