package graph

import (
	"context"
	"errors"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// stop is one manifest on a walk. It is a child if an index names it, and may be a blob then.
type stop struct {
	oci.Node
	body  []byte        // of the manifest, where the caller has it already
	of    digest.Digest // what it was found to refer to, as a referrer; "" for others
	whole bool          // the output has it with all of its graph, as the entry of an index says
	exact bool          // its bytes are needed, whatever the output says
	signs bool          // it may be a signature: its bytes are kept for a moment
}

// errBlob says that an index names a blob, as in BuildKit's registry cache.
var errBlob = errors.New("a blob, not a manifest")

// rootStop returns the stop of a manifest that no index names.
func rootStop(desc ocispec.Descriptor, depth int) stop {
	return stop{Node: oci.Node{Descriptor: desc, Depth: depth}}
}

// childStop returns the stop of a child of an index, with its bytes if the index has them.
func childStop(desc ocispec.Descriptor, depth int) stop {
	var body []byte
	if oci.HasInline(desc) {
		body = desc.Data
	}
	desc.Data = nil
	return stop{Node: oci.Node{Descriptor: desc, Role: oci.Child, Depth: depth}, body: body}
}

// with returns the stop with the bytes of its manifest; nil: they have to be read.
func (at stop) with(body []byte) stop {
	at.body = body
	return at
}

// isChild reports whether an index names the manifest.
func (at stop) isChild() bool { return at.Role == oci.Child }

// fetch returns the bytes of the manifest; errBlob if it is a blob.
func (at stop) fetch(ctx context.Context, o origin.Origin) ([]byte, error) {
	data, err := origin.Read(ctx, o, at.Node)
	if err == nil && data == nil && at.isChild() {
		err = errBlob
	}
	return data, err
}

// parse decodes a manifest, a large one when it has its turn.
func (at stop) parse(ctx context.Context, data []byte) (*oci.Manifest, error) {
	weigh := bounds.EnterDocument
	if at.isChild() && !oci.MayBeObject(data) { // a blob, which is not decoded
		weigh = func(ctx context.Context, data []byte) error { return bounds.Enter(ctx, int64(len(data))) }
	}
	if err := weigh(ctx, data); err != nil {
		return nil, err
	}
	return at.Parse(data)
}
