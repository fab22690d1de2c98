package graph

import (
	"context"
	"errors"

	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// medium is the place that the bytes of a manifest came from.
type medium uint8

const (
	fromOutput   medium = iota // or from the index that names it
	fromDisk                   // of a layout
	fromRegistry               // over the network
)

func (g *Graph) bytes(ctx context.Context, o origin.Origin, at stop) ([]byte, medium, error) {
	if at.body != nil {
		if at.isChild() { // it stood in the index
			return at.body, fromOutput, nil
		}
		return at.body, mediumOf(o), nil
	}
	if err := bounds.Enter(ctx, min(at.Size, oci.MaxManifest)); err != nil {
		return nil, fromOutput, err
	}
	stored, blob := g.Cache.Manifest(at.Node)
	if blob {
		return nil, fromOutput, errBlob
	}
	if stored != nil {
		return stored, fromOutput, nil
	}
	if data, err := g.nearby(ctx, o, at); data != nil || err != nil {
		return data, fromDisk, err
	}
	bounds.Leave(ctx) // nothing may be asked of a registry from within the lane
	data, err := at.fetch(ctx, o)
	return data, mediumOf(o), err
}

func mediumOf(o origin.Origin) medium {
	if origin.OnDisk(o) {
		return fromDisk
	}
	return fromRegistry
}

// nearby reads a manifest from a layout on disk, nil if none has it whole: a manifest on
// disk is not fetched, whatever names it first.
func (g *Graph) nearby(ctx context.Context, o origin.Origin, at stop) ([]byte, error) {
	if origin.OnDisk(o) {
		return nil, nil
	}
	for _, l := range g.Near {
		if !l.Has(at.Descriptor) {
			continue
		}
		if data, err := at.fetch(ctx, l); err == nil || errors.Is(err, errBlob) {
			return data, err
		}
	}
	return nil, nil
}

// sent counts the bytes of a manifest that a registry has sent, once, whether they
// were needed or not: that must not depend on which repository came first.
func (g *Graph) sent(n *Node, size int64) {
	g.mu.Lock()
	before := n.Came
	n.Came = true
	g.mu.Unlock()
	if !before {
		g.Moved(size)
	}
}
