package source

import (
	"context"
	"errors"
	"io/fs"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// readDelta reads what a layout leaves to a base. A damaged list leaves more than it should:
// the targets are asked for what is missing.
func readDelta(l store.Layout, notice func(string)) *delta.Delta {
	d, err := store.ReadDelta(l)
	if err != nil {
		notice(err.Error())
	}
	return d
}

// Left asks the layout first: it may have more than its list says.
func (s *layout) Left(b content.Descriptor) error {
	if s.delta == nil || s.delta.Holds(b.Digest) {
		return nil
	}
	if _, err := s.local.Layout.Stat(b.Digest); !errors.Is(err, fs.ErrNotExist) || s.embedded(b) != nil {
		return nil
	}
	return &engine.NeedsBaseError{Base: s.delta.Name(), Blob: b.Digest}
}

func (s *layout) Home(b content.Descriptor) string {
	if s.delta == nil {
		return ""
	}
	return s.delta.Repository(b.Digest)
}

func (s *layout) IsAlone() bool { return s.delta != nil }

// embedded returns the bytes of a blob that some descriptor has in itself, nil if none has. What
// is no image has the empty document as its config, which needs no base.
func (s *layout) embedded(b content.Descriptor) []byte {
	if s.delta != nil && oci.IsEmptyJSON(b.Digest, b.Size) {
		return ocispec.DescriptorEmptyJSON.Data
	}
	return s.graph.Embedded(b)
}

// deltaOrigin walks the manifests of a delta, whose blobs may be in its base.
type deltaOrigin struct {
	*origin.Local
	delta *delta.Delta
}

// Child returns nil, as for a blob, for a child that is left to the base.
func (o *deltaOrigin) Child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	data, err := o.Local.Child(ctx, desc)
	if errors.Is(err, fs.ErrNotExist) && o.delta.Leaves(desc) {
		return nil, nil
	}
	return data, err
}

// HasBlob returns true for a blob that the base may have.
func (o *deltaOrigin) HasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	has, err := o.Local.HasBlob(ctx, desc)
	return has || o.delta.Leaves(desc), err
}
