package merge

import (
	"context"
	"errors"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// archive merges into an archive: manifests, index.json, blobs.
type archive struct {
	*merge
	out *store.Archive
}

func (a *archive) write(ctx context.Context) error {
	blobs, err := a.eachManifest(ctx, a.out.PutManifest)
	if err != nil {
		return err
	}
	if err := a.putIndex(); err != nil {
		return err
	}
	rest, err := a.resume(ctx, blobs)
	if err != nil {
		return err
	}
	if err := a.room(rest); err != nil {
		return err
	}
	for _, b := range rest {
		if err := a.putBlob(ctx, b); err != nil {
			return err
		}
	}
	return a.commit()
}

// putIndex writes index.json, unless the last one has the same artifacts.
func (a *archive) putIndex() error {
	if err := a.findBroken(); err != nil {
		return errors.Join(err, a.out.Abort())
	}
	return written(a.out.PutIndex(a.index()))
}

// resume skips the blobs that an interrupted run left in the archive.
func (a *archive) resume(ctx context.Context, blobs []blob) (rest []blob, err error) {
	var bytes int64
	for len(blobs) > 0 {
		b := blobs[0].descriptor()
		stored, err := a.out.Stored(b)
		if err != nil {
			return nil, written(err)
		}
		if !stored {
			break
		}
		bytes = bounds.Sum(bytes, b.Size)
		a.Progress.Moved(b.Size)
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		blobs = blobs[1:]
	}
	if bytes > 0 {
		a.Progress.Notice(engine.Resuming(a.out.PartialPath(), bytes))
	}
	return blobs, nil
}

// room returns an error if the blobs do not fit on the medium.
func (a *archive) room(blobs []blob) error {
	var need int64
	for _, b := range blobs {
		need = bounds.Sum(need, b.size)
	}
	if free, known := a.out.Free(); known && need > free {
		return &engine.SpaceError{Need: need, Free: free}
	}
	return written(a.out.Expect(func(yield func(ocispec.Descriptor) bool) {
		for _, b := range blobs {
			if !yield(b.descriptor()) {
				return
			}
		}
	}))
}

// putBlob writes the entry of a blob, or takes it back if no copy is undamaged.
func (a *archive) putBlob(ctx context.Context, b blob) error {
	desc := b.descriptor()
	return a.copyBlob(ctx, desc, func(copy func(to io.Writer, skip int64) error) error {
		if err := a.out.Begin(desc); err != nil {
			return written(err)
		}
		encoder := a.out.Encoder(desc, func(p []byte) error {
			_, err := a.out.Write(p)
			return written(err)
		})
		err := copy(encoder, 0)
		if closed := encoder.Close(); err == nil {
			err = written(closed)
		}
		if err == nil {
			return written(a.out.End())
		}
		if engine.IsFatal(err) || context.Cause(ctx) != nil {
			return err
		}
		return errors.Join(err, written(a.out.Rollback()))
	})
}

// commit puts the archive in place, with a second index.json if a blob is lost.
func (a *archive) commit() error {
	if err := a.putIndex(); err != nil {
		return err
	}
	incomplete := len(a.broken) > 0
	path, err := a.out.Commit(incomplete)
	a.output, a.aside, a.done = path, incomplete, err == nil
	return written(err)
}
