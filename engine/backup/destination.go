package backup

import (
	"context"
	"io"
	"iter"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// randomOutput is a layout that takes manifests and blobs in any order and side by side:
// a directory or a bucket. Calls may be concurrent, those for the index aside.
type randomOutput interface {
	store.Layout
	Path() string
	// Has reports whether a manifest or a blob is there, whole.
	Has(desc ocispec.Descriptor) bool
	Push(desc ocispec.Descriptor, data []byte) error
	// Ingest begins a blob, or resumes it where an earlier run stopped.
	Ingest(desc ocispec.Descriptor) (ingest, error)
	// Commit writes the index.
	Commit(ctx context.Context) error
	// Sweep removes the unfinished blobs of earlier runs.
	Sweep() error
}

// ingest is a blob on its way into a randomOutput.
type ingest interface {
	io.Writer
	// Size returns how many bytes are there.
	Size() int64
	// Reset discards the bytes that are there.
	Reset() error
	// Commit puts the blob in place; a *oci.MismatchError says that its bytes are wrong.
	Commit() error
	// Close keeps an uncommitted blob for a later run.
	Close() error
}

// orderedOutput is an archive, which is written once from its beginning to its end: the
// manifests, the index, then one blob after the other.
type orderedOutput interface {
	Path() string
	// PartialPath returns the path of the unfinished archive.
	PartialPath() string
	// Free returns the free space of the medium in bytes; known is false if it is unknown.
	Free() (bytes int64, known bool)
	// Expect announces, after the index, the blobs that come at most, in their order. It is
	// called again if some will not come.
	Expect(blobs iter.Seq[ocispec.Descriptor]) error
	PutManifest(desc ocispec.Descriptor, data []byte) error
	PutIndex(x *oci.Index) error
	// Stored reports whether an interrupted run has left the next blob whole.
	Stored(desc ocispec.Descriptor) (bool, error)
	// Continue resumes the next blob where an interrupted run stopped: head reads the part
	// that is there, written is the size of its encoded form; head is nil if there is none.
	Continue(desc ocispec.Descriptor) (head io.ReadCloser, written int64, err error)
	// Encoder returns a writer that hands the encoded form of a blob to emit.
	Encoder(desc ocispec.Descriptor, emit func([]byte) error) io.WriteCloser
	// Begin opens the entry of a blob, Write takes its encoded form, End closes the entry
	// and Rollback takes it back.
	Begin(desc ocispec.Descriptor) error
	io.Writer
	End() error
	Rollback() error
	// Commit puts the archive in place, beside that place if it is incomplete, and returns
	// where it is.
	Commit(incomplete bool) (path string, err error)
	// Written returns the files that Commit put in place, if the archive is in parts.
	Written() []store.WrittenPart
	Abort() error
}

// dirOutput is a directory as a randomOutput.
type dirOutput struct{ *store.Dir }

func (d dirOutput) Ingest(desc ocispec.Descriptor) (ingest, error) {
	in, err := d.Dir.Ingest(desc)
	if err != nil {
		return nil, err
	}
	return in, nil
}

// bucketOutput is a layout in a bucket as a randomOutput.
type bucketOutput struct{ *store.Bucket }

func (b bucketOutput) Ingest(desc ocispec.Descriptor) (ingest, error) {
	in, err := b.Bucket.Ingest(desc)
	if err != nil {
		return nil, err
	}
	return in, nil
}

var _ orderedOutput = (*store.Parts)(nil)

// archiveOutput is an archive as an orderedOutput.
type archiveOutput struct{ *store.Archive }

// Written returns nothing: the archive is one file.
func (archiveOutput) Written() []store.WrittenPart { return nil }

func (a archiveOutput) Encoder(desc ocispec.Descriptor, emit func([]byte) error) io.WriteCloser {
	return a.Archive.Encoder(desc, emit)
}

// written marks an error of the output.
func written(err error) error {
	if err == nil {
		return nil
	}
	return &engine.WriteError{Err: err}
}
