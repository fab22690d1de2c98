package graph

import (
	"context"
	"errors"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Stop is one manifest on a walk.
type Stop struct {
	Desc  ocispec.Descriptor
	data  []byte        // of the manifest, where the caller has it already
	depth int           // indexes and referrers above it
	child bool          // an index names it: it may be a blob
	of    digest.Digest // what it was found to refer to, as a referrer; "" for others
	whole bool          // the output has it with all of its graph, as the entry of an index says
	exact bool          // its bytes are needed, whatever the output says
	signs bool          // it may be a signature: its bytes are kept for a moment
}

// errBlob says that an index names a blob, as in BuildKit's registry cache.
var errBlob = errors.New("a blob, not a manifest")

// childStop returns the stop of a child of an index, with its bytes if the index has them.
func childStop(desc ocispec.Descriptor, depth int) Stop {
	at := Stop{Desc: desc, depth: depth, child: true}
	if oci.HasInline(desc) {
		at.data = desc.Data
	}
	at.Desc.Data = nil
	return at
}

// fetch returns the bytes of the manifest; errBlob if it is a blob.
func (at Stop) fetch(ctx context.Context, o Origin) ([]byte, error) {
	if !at.child {
		return o.Manifest(ctx, at.Desc)
	}
	data, err := o.Child(ctx, at.Desc)
	if err == nil && data == nil {
		err = errBlob
	}
	return data, err
}

// stored reads the manifest from a layout; errBlob if it is a blob.
func (at Stop) stored(l store.Layout) ([]byte, error) {
	if !at.child {
		return store.ReadManifest(l, at.Desc)
	}
	data, err := store.ReadChild(l, at.Desc)
	if err == nil && data == nil {
		err = errBlob
	}
	return data, err
}

// parse decodes a manifest, a large one when it has its turn.
func (at Stop) parse(ctx context.Context, data []byte) (*oci.Manifest, error) {
	weigh := bounds.EnterDocument
	if at.child && !oci.MayBeObject(data) { // a blob, which is not decoded
		weigh = func(ctx context.Context, data []byte) error { return bounds.Enter(ctx, int64(len(data))) }
	}
	if err := weigh(ctx, data); err != nil {
		return nil, err
	}
	if !at.child {
		return oci.ParseManifest(at.Desc, data)
	}
	return oci.ParseChild(at.Desc, data)
}
