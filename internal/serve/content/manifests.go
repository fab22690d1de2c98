package content

import (
	"context"
	"errors"
	"io/fs"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/semaphore"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

const (
	// manifestMemory bounds the manifests that are in memory at once.
	manifestMemory = 64 << 20
	// smallManifest is the size up to which manifests are not counted. Most have a few KiB.
	smallManifest = 64 << 10
)

var manifestRoom = semaphore.NewWeighted(manifestMemory)

// readManifest returns the bytes of a manifest, hashed, from the first input that has them. The
// caller releases their memory. If an input cannot be reached, no other has the last word.
func readManifest(ctx context.Context, inputs []*Input, d digest.Digest) (data []byte, release func(), err error) {
	missing := error(fs.ErrNotExist)
	for _, in := range inputs {
		data, release, err := in.manifest(ctx, d)
		switch {
		case err == nil:
			return data, release, nil
		case ctx.Err() != nil:
			return nil, nil, err
		case !errors.Is(err, fs.ErrNotExist) && !store.IsPassing(missing):
			missing = err
		}
	}
	return nil, nil, missing
}

// manifest returns the bytes of a manifest of one input.
func (in *Input) manifest(ctx context.Context, d digest.Digest) (data []byte, release func(), err error) {
	blob, err := in.layout.Open(d)
	if err != nil {
		return nil, nil, err
	}
	defer blob.Close()
	if release, err = enter(ctx, min(blob.Size(), oci.MaxManifest)); err != nil {
		return nil, nil, err
	}
	if data, err = store.ReadBlob(in.layout, d, blob); err != nil {
		release()
		return nil, nil, err
	}
	return data, release, nil
}

// enter waits until there is room for a manifest of this size and its decoded form.
func enter(ctx context.Context, size int64) (release func(), err error) {
	if size <= smallManifest {
		return func() {}, nil
	}
	weight := min(3*size, manifestMemory)
	if err := manifestRoom.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	return func() {
		manifestRoom.Release(weight)
		bounds.Collect(size)
	}, nil
}
