package graph

import (
	"bytes"
	"context"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
)

// inline is a blob whose bytes are in memory, since they came with a manifest or instead
// of one. It is asked for nothing else.
type inline struct {
	origin.Origin // of the manifest
	data          []byte
	embedded      bool // in a descriptor
	kept          bool // until the output has it
}

func (i *inline) HasBlob(_ context.Context, desc ocispec.Descriptor) (bool, error) {
	return int64(len(i.data)) == desc.Size, nil
}

func (i *inline) Queue() string { return "memory" }

func (i *inline) Blob(_ context.Context, _ ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(i.data[off : off+n])), nil
}
