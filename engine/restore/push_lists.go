package restore

import (
	"context"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// listKey identifies one list with some of its referrers; the same subject in another
// repository may have others.
type listKey struct {
	pushKey
	referrers digest.Digest // of their digests
}

func (l list) key(d *delivery) listKey {
	hash := digest.SHA256.Digester()
	for _, v := range l.referrers {
		_, _ = hash.Hash().Write([]byte(v.Node.Digest)) // a hash takes everything
	}
	return listKey{pushKey{d.at(l.subject), d.repeated}, hash.Digest()}
}

// pushLists makes sure that the target lists the manifests of a delivery that it
// lacked, once these are pushed.
func (p *pusher) pushLists(ctx context.Context, d *delivery) error {
	return pool.Each(p.workers, listsOf(d, d.lacks), func(l list) error {
		_, err := p.lists.Do(ctx, l.key(d), func() (struct{}, error) { return struct{}{}, p.pushList(ctx, d, l) })
		return err
	})
}

func (p *pusher) pushList(ctx context.Context, d *delivery, l list) error {
	by := make(map[digest.Digest]*graph.Visit)
	for _, v := range l.referrers {
		by[v.Node.Digest] = v
	}
	describe := func(ctx context.Context, desc ocispec.Descriptor) (ocispec.Descriptor, error) {
		return p.describe(ctx, by[desc.Digest])
	}
	return d.to.listReferrers(ctx, l, describe, func(desc ocispec.Descriptor) error {
		return p.pushAs(ctx, d, by[desc.Digest], desc.Digest.String())
	})
}

// describe makes the descriptor by which a list of referrers names a manifest: with its
// artifact type and annotations (distribution-spec, "Referrers Tag Schema").
func (p *pusher) describe(ctx context.Context, v *graph.Visit) (ocispec.Descriptor, error) {
	desc := v.Node.OCI()
	data, err := manifestBytes(ctx, p.source, v)
	if err == nil {
		err = bounds.EnterDocument(ctx, data)
	}
	if err != nil {
		return desc, err
	}
	m, err := oci.ParseManifest(desc, data)
	if err != nil {
		return desc, err
	}
	desc.ArtifactType, desc.Annotations = m.Kind(), m.Annotations
	return desc, nil
}
