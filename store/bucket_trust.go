package store

import (
	"context"
	"errors"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Recorded returns the entry of a manifest in the index.json that was read. Such a manifest
// was stored with its graph, and nothing removes a part of that while an index.json lists it.
// With CreateOptions.Verify no entry is believed.
func (b *Bucket) Recorded(desc ocispec.Descriptor) (oci.Entry, bool) {
	if b.hashAll {
		return oci.Entry{}, false
	}
	e, ok := b.index.Recorded(desc.Digest)
	return e, ok && e.Size == desc.Size
}

// Relies records that this run relies on a manifest and on its graph without reading them. It
// returns false if the manifest is absent.
func (b *Bucket) Relies(desc ocispec.Descriptor) bool {
	if b.hashAll || !b.Has(desc) {
		return false
	}
	return b.trust(desc) == nil
}

// readTrusted reads the manifests that this run has not read, and records their blobs as used:
// prune has listed some blobs, or has run since index.json was read. After an error the next
// call reads the rest.
func (b *Bucket) readTrusted(ctx context.Context) error {
	for {
		root, ok := b.takeTrusted()
		if !ok {
			return nil
		}
		if err := b.useGraph(ctx, root); err != nil {
			return errors.Join(err, b.trust(root))
		}
	}
}

// useGraph records the blobs of a graph as used. A graph that was read once is not read again.
func (b *Bucket) useGraph(ctx context.Context, root ocispec.Descriptor) error {
	met := make(map[digest.Digest]bool)
	for queue := []ocispec.Descriptor{root}; len(queue) > 0; queue = queue[1:] {
		desc := queue[0]
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if met[desc.Digest] || b.isRead(desc.Digest) {
			continue
		}
		met[desc.Digest] = true
		m, err := b.useManifest(desc)
		if err != nil {
			return err
		}
		queue = append(queue, m.Manifests...)
	}
	for d := range met {
		if err := b.useRead(d); err != nil {
			return err
		}
	}
	return nil
}

// useManifest reads a manifest, and records it and its leaves as used. Prune may have removed
// some of them already, unless a delta leaves them to its base.
func (b *Bucket) useManifest(desc ocispec.Descriptor) (*oci.Manifest, error) {
	m, err := b.readGraph(desc)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &PrunedError{Path: b.name, Blobs: 1}
	}
	if err == nil {
		err = b.use(desc.Digest)
	}
	if err != nil {
		return nil, err
	}
	for _, leaf := range m.Leaves() {
		if _, err := b.Stat(leaf.Digest); err != nil {
			if oci.IsElsewhere(leaf) || b.index.IsDelta() {
				continue
			}
			return nil, &PrunedError{Path: b.name, Blobs: 1}
		}
		if err := b.use(leaf.Digest); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// readGraph reads a manifest from the bucket.
func (b *Bucket) readGraph(desc ocispec.Descriptor) (*oci.Manifest, error) {
	data, err := ReadChild(b, desc)
	if err != nil || data == nil { // a blob that an index lists
		return new(oci.Manifest), err
	}
	return oci.ParseChild(desc, data)
}
