package graph

import (
	"context"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
)

// layersElsewhere adds those layers of v that no registry has to have, if this one has them.
// Their URLs are not requested: the runtime of the image may do that.
func (g *Graph) layersElsewhere(ctx context.Context, v *Visit) error {
	for _, d := range v.Node.elsewhere {
		has, err := v.Origin.HasBlob(ctx, d.OCI())
		switch {
		case err != nil:
			return err
		case has:
			v.Leaves = append(v.Leaves, g.Blob(d.OCI(), v.Origin))
		case !origin.OnDisk(v.Origin):
			g.tellLeftOut(v, d)
		}
	}
	return nil
}

// tellLeftOut tells once that a layer is left out.
func (g *Graph) tellLeftOut(v *Visit, layer content.Descriptor) {
	g.mu.Lock()
	told := g.leftOut[layer.Digest]
	g.leftOut[layer.Digest] = true
	g.mu.Unlock()
	if !told {
		g.Notice(fmt.Sprintf("%s@%s: the registry does not have the non-distributable layer %s; skipped", v.Origin.Repository(), v.Node.Digest, layer.Digest))
	}
}

// leaf returns the blob that an index names in the place of a manifest. If it came as a
// manifest, its bytes are kept and not fetched again.
func (g *Graph) leaf(o origin.Origin, desc ocispec.Descriptor, n *Node) *Blob {
	if n != nil && !origin.OnDisk(o) {
		o = &inline{Origin: o, data: n.content}
	}
	return g.Blob(desc, o)
}
