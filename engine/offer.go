package engine

import (
	"context"
	"io"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// offer puts children of an index where a registry keeps manifests, if neither their bytes
// nor their media type tell what they are: they are there as blobs, but nothing
// says on which side a client will look for them. A registry may refuse them, in whatever words.
func (r *restore) offer(ctx context.Context, d *delivery, v *visit) error {
	for _, leaf := range v.leaves {
		if !v.node.index || store.IsContent(leaf.mediaType) || leaf.mediaType == "" || leaf.size == 0 || leaf.size > maxLook {
			continue
		}
		_, err := r.manifests.do(ctx, pushKey{d.place(leaf.digest), d.again}, func() (struct{}, error) {
			return struct{}{}, r.offerOne(ctx, d, leaf)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *restore) offerOne(ctx context.Context, d *delivery, leaf *blob) error {
	if r.dry != nil {
		r.dry.count(2, 0) // GET and PUT
		return nil
	}
	data, err := readLeaf(ctx, d, leaf)
	if err != nil {
		return err
	}
	err = d.repo.PushManifest(ctx, leaf.oci(), data, leaf.digest.String())
	if registry.Status(err) != 0 {
		return nil
	}
	return err
}

// readLeaf takes a blob from the target, which has it by now: the input may be a pipe.
func readLeaf(ctx context.Context, d *delivery, leaf *blob) ([]byte, error) {
	body, err := fetchVerified(ctx, d.repo, leaf.descriptor, func(int64) {})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}
