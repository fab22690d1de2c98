package store

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Archive writes a bundle: oci-layout, manifests, index.json, blobs, in this order. It is
// not safe for concurrent use, except for its Encoders.
type Archive struct {
	medium      medium
	compression bundle.Compression
	out         *bundle.Writer // to the medium

	begun  bool                   // oci-layout is written
	have   map[digest.Digest]bool // manifests that are written
	index  digest.Digest          // of the last index.json written; "" before the first
	length int64                  // of that
	closed bool

	replay *replay // content of an interrupted run, until this run differs from it
	worth  bool    // a later run can resume it
	left   bool    // and it is kept for that

	whole   int64 // bytes of the manifests and blobs with complete entries
	size    int64 // of the blob that is being written
	written int64 // bytes of its entry
}

// medium receives the bytes of an archive: a file, or a pipe.
type medium interface {
	io.Writer
	// begin announces the next blob.
	begin(desc ocispec.Descriptor) error
	// encoded passes bytes of the entry of that blob to out, which writes to the medium.
	encoded(out *bundle.Writer, p []byte) (int, error)
	// rollback undoes what out has written of that entry.
	rollback(out *bundle.Writer) error
	// entered is called after each complete entry.
	entered() error
	free() (bytes int64, ok bool)
	// commit puts the archive in place and returns its path.
	commit(incomplete bool) (path string, err error)
	// abort removes what was written, where that is possible.
	abort() error
	// leave keeps what was written for a later run, where that is possible.
	leave() error
	// path returns the name that the user gave.
	path() string
}

// planner is a medium that is told how much will come.
type planner interface {
	// expect announces the bytes of the blobs that will be written at most.
	expect(bytes int64) error
}

// resumable is a medium that a later run can resume.
type resumable interface {
	// unfinished returns the path of what was written.
	unfinished() string
	// cut removes all from an offset on, and sets the position for writing to it.
	cut(end int64) error
}

func newArchive(m medium, c bundle.Compression) *Archive {
	return &Archive{
		medium:      m,
		compression: c,
		out:         bundle.NewWriter(m, c),
		have:        make(map[digest.Digest]bool),
	}
}

// Path returns the name of the output; "-" for standard output.
func (a *Archive) Path() string { return a.medium.path() }

// PartialPath returns the path of the file that is written.
func (a *Archive) PartialPath() string { return a.medium.path() + ".partial" }

// Free returns the free space of the medium in bytes; ok is false where it is unknown.
func (a *Archive) Free() (bytes int64, ok bool) { return a.medium.free() }

// Expect announces the blobs that will be written at most, after PutIndex. An archive in a
// bucket chooses its parts by that; if they do not fit into memory, the error is an
// *object.BufferError.
func (a *Archive) Expect(blobs iter.Seq[ocispec.Descriptor]) error {
	m, ok := a.medium.(planner)
	if !ok {
		return nil
	}
	var bytes int64
	for desc := range blobs {
		bytes = bounds.Sum(bytes, desc.Size)
	}
	return m.expect(bytes)
}

// PutManifest writes a manifest, unless the archive has it.
func (a *Archive) PutManifest(desc ocispec.Descriptor, data []byte) error {
	if a.have[desc.Digest] {
		return nil
	}
	if err := oci.CheckContent(desc, data); err != nil {
		return err
	}
	if err := a.begin(); err != nil {
		return err
	}
	a.have[desc.Digest] = true
	a.whole += desc.Size
	return a.put(bundle.BlobName(desc.Digest), data)
}

// put writes an entry, unless an interrupted run left it there.
func (a *Archive) put(name string, data []byte) error {
	if same, err := a.same(name, data); err != nil || same {
		return err
	}
	return a.out.Put(name, data)
}

// PutIndex writes index.json, unless the last one written has the same bytes. The first
// one precedes the blobs. If some of them then fail, another one at the end replaces it.
func (a *Archive) PutIndex(x *oci.Index) error {
	if err := a.begin(); err != nil {
		return err
	}
	// The first pass computes size and digest, the second writes: 100,000 entries take 40 MB.
	sum := digest.Canonical.Digester()
	size, err := x.WriteTo(sum.Hash())
	if err != nil || sum.Digest() == a.index {
		return err
	}
	a.length = size
	if same, err := a.sameIndex(size, sum.Digest()); err != nil || same {
		return err
	}
	if err := a.out.Begin(bundle.IndexFile); err != nil {
		return err
	}
	entry := bundle.NewEncoder(a.compression, bundle.IndexFile, size, func(p []byte) error {
		_, err := a.out.Write(p)
		return err
	})
	if _, err := x.WriteTo(entry); err != nil {
		return err
	}
	if err := entry.Close(); err != nil {
		return err
	}
	a.index = sum.Digest()
	return a.end()
}

// Encoder returns an encoder for the entry of a blob, whose output goes to Write. Several
// may run concurrently.
func (a *Archive) Encoder(desc ocispec.Descriptor, emit func([]byte) error) *bundle.Encoder {
	return bundle.NewEncoder(a.compression, bundle.BlobName(desc.Digest), desc.Size, emit)
}

// Begin starts the entry of a blob, whose bytes an Encoder makes.
func (a *Archive) Begin(desc ocispec.Descriptor) error {
	if err := desc.Digest.Validate(); err != nil {
		return fmt.Errorf("%.200q: %w", desc.Digest, err)
	}
	if err := a.begin(); err != nil {
		return err
	}
	if err := a.medium.begin(desc); err != nil {
		return err
	}
	return a.beginEntry(bundle.BlobName(desc.Digest), desc.Size)
}

// beginEntry starts the entry of a blob, or of a piece of one.
func (a *Archive) beginEntry(name string, size int64) error {
	if a.replay != nil {
		if err := a.part(nil); err != nil {
			return err
		}
	}
	a.worth = true
	a.size, a.written = size, 0
	return a.out.Begin(name)
}

// Write appends the output of an Encoder, in pieces of any size.
func (a *Archive) Write(encoded []byte) (int, error) {
	n, err := a.medium.encoded(a.out, encoded)
	a.written += int64(n)
	return n, err
}

// End completes the entry.
func (a *Archive) End() error {
	a.whole += a.size
	a.size, a.written = 0, 0
	return a.end()
}

// Rollback undoes what was written since Begin. In a pipe that is impossible: there it
// fills the entry with zeros up to its size. A reader treats it as absent, since its
// digest is wrong.
func (a *Archive) Rollback() error {
	a.size, a.written = 0, 0
	return a.medium.rollback(a.out)
}

// Commit completes the archive, puts it in place and returns its path. An incomplete
// archive does not replace a file, but is kept beside it as NAME.incomplete.
func (a *Archive) Commit(incomplete bool) (path string, err error) {
	if err := a.finish(); err != nil {
		return "", err
	}
	a.closed = true
	path, err = a.medium.commit(incomplete)
	_, gone := errors.AsType[*GoneError](err)
	a.left = err != nil && !gone
	return path, err
}

// finish writes the end of the archive.
func (a *Archive) finish() error {
	if a.index == "" {
		return errors.New("no index.json was written")
	}
	if a.replay != nil {
		if err := a.part(nil); err != nil {
			return err
		}
	}
	return a.out.Close()
}

// Abort removes what was written, unless it is in a pipe.
func (a *Archive) Abort() error {
	if a.closed {
		return nil
	}
	a.closed = true
	return a.medium.abort()
}

// Close aborts an archive without a Commit, but keeps what a later run can resume.
func (a *Archive) Close() error {
	if a.closed || !a.worth && a.replay == nil {
		return a.Abort()
	}
	a.closed, a.left = true, true
	return a.medium.leave()
}

// begin writes oci-layout before the first entry, so that an archive without entries
// leaves a pipe empty.
func (a *Archive) begin() error {
	if a.begun {
		return nil
	}
	a.begun = true
	return a.put(bundle.LayoutFile, []byte(layoutFile))
}

func (a *Archive) end() error {
	if err := a.out.End(); err != nil {
		return err
	}
	return a.medium.entered()
}
