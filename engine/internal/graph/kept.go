package graph

import (
	"context"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxKept bounds the bytes of the manifests that wait for their turn in an archive. Those of
// 1,000 images have 2 MiB.
const maxKept = 16 << 20

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
