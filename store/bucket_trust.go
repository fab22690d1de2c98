package store

import (
	"context"
	"errors"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Recorded returns the entry of a manifest in the index.json that was read. Such a manifest
// was stored with its graph, and nothing removes a part of that while an index.json lists it.
// With CreateOptions.Verify no entry is believed.
func (b *Bucket) Recorded(desc ocispec.Descriptor) (Entry, bool) {
	if b.hashAll {
		return Entry{}, false
	}
	e, ok := b.index.recorded(desc.Digest)
	return e, ok && e.Size == desc.Size
}

// Relies records that this run relies on a manifest and on its graph without reading them. It
// returns false if the manifest is absent.
func (b *Bucket) Relies(desc ocispec.Descriptor) bool {
	if b.hashAll || !b.Has(desc) {
		return false
	}
	b.using.Lock()
	defer b.using.Unlock()
	b.trusted[desc.Digest] = ocispec.Descriptor{MediaType: desc.MediaType, Digest: desc.Digest, Size: desc.Size}
	return true
}

// readTrusted reads the manifests that this run has not read, and records their blobs as used:
// prune has listed some blobs, or has run since index.json was read.
func (b *Bucket) readTrusted(ctx context.Context) error {
	b.using.Lock()
	queue := make([]ocispec.Descriptor, 0, len(b.trusted))
	for _, desc := range b.trusted {
		queue = append(queue, desc)
	}
	clear(b.trusted)
	b.using.Unlock()
	for met := make(map[digest.Digest]bool); len(queue) > 0; queue = queue[1:] {
		desc := queue[0]
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if met[desc.Digest] {
			continue
		}
		met[desc.Digest] = true
		b.use(desc.Digest)
		m, err := b.readGraph(desc)
		if errors.Is(err, fs.ErrNotExist) {
			return &PrunedError{Path: b.name, Blobs: 1}
		}
		if err != nil {
			return err
		}
		for _, leaf := range m.Leaves() {
			if _, err := b.Stat(leaf.Digest); err == nil || !IsElsewhere(leaf) {
				b.use(leaf.Digest)
			}
		}
		queue = append(queue, m.Manifests...)
	}
	return nil
}

// readGraph reads a manifest from the bucket.
func (b *Bucket) readGraph(desc ocispec.Descriptor) (*Manifest, error) {
	data, err := ReadChild(b, desc)
	if err != nil || data == nil { // a blob that an index lists
		return new(Manifest), err
	}
	return ParseChild(desc, data)
}
