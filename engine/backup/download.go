package backup

import (
	"context"
	"errors"
	"io"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
)

// fetch brings a blob, from another origin if the first does not have it, and once
// more if its bytes were wrong.
func (d *directory) fetch(ctx context.Context, b *graph.Blob) error {
	for attempt := 0; ; attempt++ {
		err := d.fetchFrom(ctx, b.OCI(), d.planner.OriginOf(b, attempt))
		if err == nil || engine.IsFatal(err) || ctx.Err() != nil || !d.planner.WorthRetry(b, attempt, err) {
			return err
		}
	}
}

// fetchFrom brings a blob from one origin. It resumes where an earlier run stopped.
func (d *directory) fetchFrom(ctx context.Context, desc ocispec.Descriptor, from origin.Origin) (err error) {
	in, err := d.out.Ingest(desc)
	if err != nil {
		return written(err)
	}
	defer func() {
		if e := in.Close(); err == nil {
			err = written(e)
		}
	}()
	if in.Size() < desc.Size {
		if err := (&download{d, desc, from, in}).run(ctx); err != nil {
			return err
		}
	}
	if err := in.Commit(); err != nil {
		if content.IsMismatch(err) {
			return &engine.ArtifactError{Reference: from.Repository() + "@" + desc.Digest.String(), Op: "fetch", Err: err}
		}
		return written(err)
	}
	return nil
}

// download is one blob on its way from one origin into the directory.
type download struct {
	*directory
	desc ocispec.Descriptor
	from origin.Origin
	into ingest
}

// run appends the rest of the blob. It starts over if the origin does not send parts, or sends
// wrong bytes.
func (d *download) run(ctx context.Context) error {
	had := d.into.Size()
	err := d.appendRest(ctx)
	if had == 0 || !errors.Is(err, fetch.ErrWholeOnly) && !content.IsWrong(err) {
		return err
	}
	if err := d.into.Reset(); err != nil {
		return written(err)
	}
	return d.appendRest(ctx)
}

// appendRest appends the bytes that are missing, a large rest over several connections.
func (d *download) appendRest(ctx context.Context) error {
	base, to := d.into.Size(), diskWriter{d.into}
	open := func(ctx context.Context, _ int, off, n int64) (io.ReadCloser, error) {
		return d.openBlob(ctx, d.from, d.desc, base+off, n)
	}
	rest := d.desc.Size - base
	if rest > largeBlob {
		return fetch.Windows(ctx, d.memory(), fetch.Body{Size: rest, Open: open, Attempts: 1}, to)
	}
	body, err := open(ctx, 0, 0, rest)
	if err != nil {
		return err
	}
	buffer := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buffer)
	_, err = io.CopyBuffer(to, body, buffer[:])
	return errors.Join(err, body.Close())
}

// copyBuffer is the number of bytes that are copied from a socket to a file at a time.
const copyBuffer = 128 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// diskWriter marks the errors of the disk, so that they are not taken for the
// network's.
type diskWriter struct{ io.Writer }

func (w diskWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	return n, written(err)
}
