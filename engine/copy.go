package engine

import (
	"context"
	"errors"
	"io"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/store"
)

// fetch brings a blob, from another place if the first has it not, and once
// more if its bytes were wrong.
func (d *directory) fetch(ctx context.Context, b *blob) error {
	for attempt := 0; ; attempt++ {
		err := d.copy(ctx, b.oci(), d.planner.from(b, attempt))
		if err == nil || isFatal(err) || ctx.Err() != nil || !d.planner.another(b, attempt, err) {
			return err
		}
	}
}

// copy brings a blob from one origin, going on where an earlier run stopped.
func (d *directory) copy(ctx context.Context, desc ocispec.Descriptor, from origin) (err error) {
	in, err := d.dir.Ingest(desc)
	if err != nil {
		return written(err)
	}
	defer func() {
		if e := in.Close(); err == nil {
			err = written(e)
		}
	}()
	if in.Size() < desc.Size {
		if err := d.pull(ctx, in, desc, from); err != nil {
			return err
		}
	}
	if err := in.Commit(); err != nil {
		if isMismatch(err) {
			return &ArtifactError{Reference: from.repository() + "@" + desc.Digest.String(), Op: "fetch", Err: err}
		}
		return written(err)
	}
	return nil
}

// pull brings what is missing; all of it, where the origin gives no parts, or calls
// something a part that is none.
func (d *directory) pull(ctx context.Context, in *store.Ingest, desc ocispec.Descriptor, from origin) error {
	had := in.Size()
	err := d.draw(ctx, in, desc, from)
	if had == 0 || !errors.Is(err, fetch.ErrWholeOnly) && !isWrong(err) {
		return err
	}
	if err := in.Reset(); err != nil {
		return written(err)
	}
	return d.draw(ctx, in, desc, from)
}

// draw brings what is missing, a large rest over several connections.
func (d *directory) draw(ctx context.Context, in *store.Ingest, desc ocispec.Descriptor, from origin) error {
	base, to := in.Size(), ingester{in}
	open := func(ctx context.Context, _ int, off, n int64) (io.ReadCloser, error) {
		return d.open(ctx, from, desc, base+off, n)
	}
	rest := desc.Size - base
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

// copyBuffer is how much of a blob goes from a socket to a file at a time.
const copyBuffer = 128 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// ingester marks the errors of the disk, so that they are not taken for the
// network's.
type ingester struct{ io.Writer }

func (i ingester) Write(p []byte) (int, error) {
	n, err := i.Writer.Write(p)
	return n, written(err)
}
