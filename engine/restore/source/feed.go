package source

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/semaphore"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// feed sends the blobs of a pipe.
type feed struct {
	in      *store.Stream
	to      Sink
	tempDir string
	buffer  int64
	held    *semaphore.Weighted // of the buffer
	order   []content.Descriptor
	wanted  map[content.Key]content.Descriptor // those that have not come
	wrong   map[content.Key]error              // of those that came with wrong bytes
}

func newFeed(in *store.Stream, o engine.RestoreOptions, wanted []content.Descriptor, to Sink) *feed {
	buffer := bounds.Room(o.Buffer, engine.LeastBuffer)
	f := &feed{in: in, to: to, tempDir: o.TempDir, buffer: buffer, held: semaphore.NewWeighted(buffer), order: wanted,
		wanted: make(map[content.Key]content.Descriptor, len(wanted)), wrong: make(map[content.Key]error)}
	for _, b := range wanted {
		f.wanted[b.Key()] = b
	}
	return f
}

// why returns the reason for which a blob is missing.
func (f *feed) why(b content.Descriptor) error {
	if err := f.wrong[b.Key()]; err != nil {
		return err
	}
	return &engine.MissingBlobError{Blob: b.Digest.String()}
}

// send sends the blob that the pipe came to; data has its bytes if they were read. One up to a
// quarter of the buffer is held until the registry has it; a larger one is kept in a file, or
// goes straight through. A wrong one counts as absent: the right one may still come.
func (f *feed) send(ctx context.Context, b content.Descriptor, data []byte) error {
	switch {
	case data != nil:
		return f.pass(b, data)
	case b.Size <= f.buffer/4:
		return f.hold(ctx, b)
	case f.tempDir != "":
		return f.keep(ctx, b)
	}
	return f.through(ctx, b)
}

// pass sends a blob that was read as a signature, and stays in memory as that.
func (f *feed) pass(b content.Descriptor, data []byte) error {
	if wrong := content.Verify(b.OCI(), data); wrong != nil {
		f.wrong[b.Key()] = wrong
		return nil
	}
	delete(f.wanted, b.Key())
	f.to.Queue(b, inMemory(data), nil)
	return nil
}

func (f *feed) hold(ctx context.Context, b content.Descriptor) error {
	charge := min(max(b.Size, 64<<10), f.buffer)
	if err := f.held.Acquire(ctx, charge); err != nil {
		return context.Cause(ctx)
	}
	data := make([]byte, b.Size)
	if _, err := io.ReadFull(f.in, data); err != nil {
		return err
	}
	if got := b.Digest.Algorithm().FromBytes(data); got != b.Digest {
		f.held.Release(charge)
		f.wrong[b.Key()] = &oci.MismatchError{Descriptor: b.OCI(), Size: b.Size, Digest: got}
		return nil
	}
	delete(f.wanted, b.Key())
	f.to.Queue(b, inMemory(data), func() { f.held.Release(charge) })
	return nil
}

// keep puts a large blob into a temporary file, so that it can be sent again.
func (f *feed) keep(ctx context.Context, b content.Descriptor) (err error) {
	file, err := disk.CreateTemp(f.tempDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash := b.Digest.Algorithm().Hash()
	if _, err := io.Copy(io.MultiWriter(file, hash), f.in); err != nil {
		return err
	}
	if wrong := content.CheckHash(b, hash); wrong != nil {
		f.wrong[b.Key()] = wrong
		return nil
	}
	delete(f.wanted, b.Key())
	return f.to.Pass(ctx, b, &inFile{file, b.Size}, always)
}

// through sends a large blob as it comes. The next call of Next skips the bytes that the
// registry has already, or that it refuses.
func (f *feed) through(ctx context.Context, b content.Descriptor) error {
	passing := &passing{in: f.in, Descriptor: b}
	return f.to.Pass(ctx, b, passing, func() bool {
		if wrong := passing.fault(); wrong != nil {
			f.wrong[b.Key()] = wrong
			return false
		}
		delete(f.wanted, b.Key())
		return true
	})
}

func always() bool { return true }
