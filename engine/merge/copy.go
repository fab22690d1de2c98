package merge

import (
	"context"
	"errors"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// copyBuffer is the size of one read.
const copyBuffer = 256 << 10

// copyBlob writes the first undamaged copy of a blob. For each copy it calls try, which opens
// an output and calls copy with it; an error that is not fatal is that of the copy. The error
// of a blob without an undamaged copy is that of the first.
func (m *merge) copyBlob(ctx context.Context, desc ocispec.Descriptor, try func(copy func(to io.Writer, skip int64) error) error) error {
	var first error
	for n := range max(1, store.Copies(m.in, desc)) {
		err := try(func(to io.Writer, skip int64) error { return m.copyFrom(ctx, desc, n, to, skip) })
		if err == nil || engine.IsFatal(err) || context.Cause(ctx) != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		if disk.IsTooManyFiles(err) {
			return &engine.WriteError{Err: err}
		}
		if first == nil {
			first = err
		}
	}
	m.plan.Blame(desc, first)
	return nil
}

// copyFrom copies the n-th copy of a blob without its first skip bytes. The whole copy is
// hashed.
func (m *merge) copyFrom(ctx context.Context, desc ocispec.Descriptor, n int, to io.Writer, skip int64) error {
	from, err := store.OpenCopy(m.in, desc, n)
	if err != nil {
		return err
	}
	defer from.Close()
	hash := desc.Digest.Algorithm().Hash()
	buffer := make([]byte, min(copyBuffer, max(desc.Size, 1)))
	for at := int64(0); ; {
		n, err := from.Read(buffer)
		if at+int64(n) > desc.Size { // it grows
			return &oci.MismatchError{Descriptor: desc, Size: at + int64(n)}
		}
		hash.Write(buffer[:n])
		if fresh := buffer[min(int64(n), max(0, skip-at)):n]; len(fresh) > 0 {
			if _, err := to.Write(fresh); err != nil {
				return written(err)
			}
		}
		at += int64(n)
		m.moved.Add(int64(n))
		m.Progress.Moved(int64(n))
		if errors.Is(err, io.EOF) {
			return check(desc, digest.NewDigest(desc.Digest.Algorithm(), hash), at)
		}
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func check(desc ocispec.Descriptor, got digest.Digest, size int64) error {
	if got == desc.Digest && size == desc.Size {
		return nil
	}
	return &oci.MismatchError{Descriptor: desc, Size: size, Digest: got}
}
