package inventory

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// childOf returns a function that reads a child of an index from a stream. A child that is
// not among the manifests of the stream is a blob.
func childOf(s *store.Stream) func(ocispec.Descriptor) ([]byte, error) {
	return func(desc ocispec.Descriptor) ([]byte, error) {
		data, err := s.Manifest(desc.Digest)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return data, err
	}
}

// absentFrom returns a function that reports whether a manifest is not in a stream.
func absentFrom(s *store.Stream) func(ocispec.Descriptor) bool {
	return func(desc ocispec.Descriptor) bool {
		_, err := s.Manifest(desc.Digest)
		return oci.IsManifest(desc.MediaType) && errors.Is(err, fs.ErrNotExist)
	}
}

// maxConfig is far more than the size of an image config.
const maxConfig = 1 << 20

// readConfigs reads a stream to its end and returns the configs of images.
func readConfigs(ctx context.Context, s *store.Stream) (map[digest.Digest][]byte, error) {
	wanted := make(map[digest.Digest]bool)
	walker := &catalog{child: childOf(s), absent: absentFrom(s)}
	walker.read = func(desc ocispec.Descriptor) ([]byte, error) { return s.Manifest(desc.Digest) }
	for _, e := range s.Index().Entries {
		t := walker.newTrail(e.Platforms != "", func(desc ocispec.Descriptor) {
			wanted[desc.Digest] = wanted[desc.Digest] || isConfig(desc)
		})
		if err := t.Walk(oci.Node{Descriptor: e.Descriptor()}); err != nil {
			return nil, err
		}
	}
	configs := make(map[digest.Digest][]byte)
	for ctx.Err() == nil {
		d, size, err := s.Next()
		if errors.Is(err, io.EOF) {
			return configs, s.Complete()
		}
		if err != nil {
			return nil, err
		}
		if !wanted[d] || size > maxConfig {
			continue
		}
		if configs[d], err = io.ReadAll(s); err != nil {
			return nil, err
		}
	}
	return nil, context.Cause(ctx)
}
