package merge

import (
	"context"
	"errors"
	"fmt"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// layout is a directory or a bucket that is merged into, side by side.
type layout[I ingest] interface {
	store.Layout
	Path() string
	// Has reports whether a manifest or a blob is there, whole.
	Has(desc ocispec.Descriptor) bool
	Push(desc ocispec.Descriptor, data []byte) error
	// Ingest begins a blob, or resumes it where an earlier run stopped.
	Ingest(desc ocispec.Descriptor) (I, error)
	Commit(ctx context.Context) error
	// Sweep removes the unfinished blobs of earlier runs.
	Sweep() error
}

// ingest is a blob on its way into a layout.
type ingest interface {
	io.Writer
	Size() int64
	Commit() error
	Close() error
}

// OccupiedError reports an output that has an artifact which the merge would not give it.
type OccupiedError struct{ Path, Name string }

func (e *OccupiedError) Error() string {
	return fmt.Sprintf("%s has %s, which is not what the inputs have under this name", e.Path, e.Name)
}

// writeLayout merges into a layout. Its index.json changes once everything is there.
func writeLayout[I ingest](ctx context.Context, m *merge, out layout[I]) error {
	for _, e := range out.Index().Entries {
		if there, ok := m.in.Index().Lookup(e.Name); e.Name != "" && (!ok || there.Digest != e.Digest) {
			return &OccupiedError{Path: out.Path(), Name: e.Name}
		}
	}
	blobs, err := m.eachManifest(ctx, out.Push)
	if err != nil {
		return err
	}
	jobs, running := errgroup.WithContext(ctx)
	jobs.SetLimit(m.Concurrency)
	for _, b := range blobs {
		if running.Err() != nil {
			break
		}
		jobs.Go(func() error { return putBlob(running, m, out, b.descriptor()) })
	}
	if err := errors.Join(jobs.Wait(), context.Cause(ctx)); err != nil {
		return err
	}
	return commit(ctx, m, out)
}

// putBlob stores a blob, unless the layout has it.
func putBlob[I ingest](ctx context.Context, m *merge, out layout[I], desc ocispec.Descriptor) error {
	if out.Has(desc) {
		m.Progress.Expect(-desc.Size)
		return nil
	}
	return m.copyBlob(ctx, desc, func(copy func(to io.Writer, skip int64) error) error {
		in, err := out.Ingest(desc)
		if err != nil {
			return written(err)
		}
		resumed := in.Size()
		err = finish(in, copy(in, resumed))
		if _, mismatch := errors.AsType[*oci.MismatchError](err); mismatch && resumed > 0 { // what was there may be wrong
			if in, err = out.Ingest(desc); err != nil {
				return written(err)
			}
			err = finish(in, copy(in, in.Size()))
		}
		return err
	})
}

// finish puts a blob in place. One that did not come whole is discarded.
func finish(in ingest, err error) error {
	if err != nil {
		return errors.Join(err, in.Close())
	}
	if err = in.Commit(); err != nil {
		if _, mismatch := errors.AsType[*oci.MismatchError](err); !mismatch {
			err = written(err)
		}
	}
	return errors.Join(err, in.Close())
}

func commit[I ingest](ctx context.Context, m *merge, out layout[I]) error {
	if err := m.findBroken(); err != nil {
		return err
	}
	out.Index().PutAll(m.index(), func(oci.Entry) bool { return true })
	if err := out.Commit(ctx); err != nil {
		return written(err)
	}
	m.done = true
	if len(m.broken) > 0 {
		return nil
	}
	return written(out.Sweep())
}
