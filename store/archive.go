package store

import (
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// Archive is a bundle being written: oci-layout, manifests, index.json, blobs,
// in this order. It is not for concurrent use, but for its Encoders.
type Archive struct {
	medium      medium
	compression bundle.Compression
	out         *bundle.Writer // onto the medium

	begun  bool                   // oci-layout is written
	have   map[digest.Digest]bool // the manifests that are
	index  digest.Digest          // of the index.json written last; empty before the first
	closed bool

	replay *replay // what an interrupted run left, until this run differs from it
	worth  bool    // there is something in it that another run can take up
	left   bool    // and is kept

	whole   int64 // bytes of the manifests and blobs whose entries are whole
	size    int64 // of the blob whose entry is being written
	written int64 // bytes of that entry
}

// medium is what an archive is written to.
type medium interface {
	io.Writer
	// begin says which blob comes next.
	begin(desc ocispec.Descriptor)
	// encoded hands bytes of that blob's entry on to out, which writes to the medium.
	encoded(out *bundle.Writer, p []byte) (int, error)
	// rollback takes back what out has of that blob's entry.
	rollback(out *bundle.Writer) error
	// entered says that an entry is whole.
	entered() error
	free() (bytes int64, ok bool)
	// commit makes what was written last, and returns where it is.
	commit(incomplete bool) (path string, err error)
	// abort leaves nothing, where that is possible.
	abort() error
	// leave keeps what was written for another run, where that is possible.
	leave() error
	// path is what the user calls it.
	path() string
}

func newArchive(m medium, c bundle.Compression) *Archive {
	return &Archive{
		medium:      m,
		compression: c,
		out:         bundle.NewWriter(m, c),
		have:        make(map[digest.Digest]bool),
	}
}

// Path returns what the output is called; "-" for standard output.
func (a *Archive) Path() string { return a.medium.path() }

// Free returns how many bytes the medium has left, where it can tell.
func (a *Archive) Free() (bytes int64, ok bool) { return a.medium.free() }

// PutManifest writes a manifest, once.
func (a *Archive) PutManifest(desc ocispec.Descriptor, data []byte) error {
	if a.have[desc.Digest] {
		return nil
	}
	if err := checkContent(desc, data); err != nil {
		return err
	}
	if err := a.begin(); err != nil {
		return err
	}
	a.have[desc.Digest] = true
	a.whole += desc.Size
	if same, err := a.same(bundle.BlobName(desc.Digest), data); err != nil || same {
		return err
	}
	return a.out.Put(bundle.BlobName(desc.Digest), data)
}

// PutIndex writes index.json, unless the one written last has the same bytes.
// It stands before the blobs; where some of them then could not be had, another
// one at the end holds.
func (a *Archive) PutIndex(x *Index) error {
	if err := a.begin(); err != nil {
		return err
	}
	// Once for its size and its digest, once for its bytes: at 100,000 entries
	// they are 40 MB.
	sum := digest.Canonical.Digester()
	size, err := x.WriteTo(sum.Hash())
	if err != nil || sum.Digest() == a.index {
		return err
	}
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

// Encoder makes the bytes of a blob's entry, for Write. Many may run side by
// side.
func (a *Archive) Encoder(desc ocispec.Descriptor, emit func([]byte) error) *bundle.Encoder {
	return bundle.NewEncoder(a.compression, bundle.BlobName(desc.Digest), desc.Size, emit)
}

// Begin says that the bytes to come are those that an Encoder makes of desc.
func (a *Archive) Begin(desc ocispec.Descriptor) error {
	if err := desc.Digest.Validate(); err != nil {
		return fmt.Errorf("%.200q: %w", desc.Digest, err)
	}
	if err := a.begin(); err != nil {
		return err
	}
	if a.replay != nil {
		if err := a.part(nil); err != nil {
			return err
		}
	}
	a.worth = true
	a.size, a.written = desc.Size, 0
	a.medium.begin(desc)
	return a.out.Begin(bundle.BlobName(desc.Digest))
}

// Write takes what an Encoder emitted, in pieces of any size.
func (a *Archive) Write(encoded []byte) (int, error) {
	n, err := a.medium.encoded(a.out, encoded)
	a.written += int64(n)
	return n, err
}

// End says that the entry is whole.
func (a *Archive) End() error {
	a.whole += a.size
	a.size, a.written = 0, 0
	return a.end()
}

// Rollback takes back what was written since Begin. A pipe cannot: there the
// entry is filled with zeros to its size, which a reader takes as absent, since
// its digest is wrong.
func (a *Archive) Rollback() error {
	a.size, a.written = 0, 0
	return a.medium.rollback(a.out)
}

// Commit ends the archive and puts it where it belongs. An incomplete one does
// not replace a file: it stays beside it, as NAME.incomplete. The path is where
// it is now.
func (a *Archive) Commit(incomplete bool) (path string, err error) {
	if a.index == "" {
		return "", errors.New("no index.json was written")
	}
	if a.replay != nil {
		if err := a.part(nil); err != nil {
			return "", err
		}
	}
	if err := a.out.Close(); err != nil {
		return "", err
	}
	a.closed = true
	path, err = a.medium.commit(incomplete)
	_, gone := errors.AsType[*GoneError](err)
	a.left = err != nil && !gone
	return path, err
}

// Abort removes what was written, if it is not in a pipe.
func (a *Archive) Abort() error {
	if a.closed {
		return nil
	}
	a.closed = true
	return a.medium.abort()
}

// Close is Abort, if there was no Commit: but what another run can take up stays.
func (a *Archive) Close() error {
	if a.closed || !a.worth && a.replay == nil {
		return a.Abort()
	}
	a.closed, a.left = true, true
	return a.medium.leave()
}

// Partial returns where an archive that was closed without a Commit is kept for
// another run to take up; "" if it is not.
func (a *Archive) Partial() string {
	p, ok := a.medium.(*partial)
	if !ok || !a.left {
		return ""
	}
	return p.target + ".partial"
}

// Kept returns how many bytes of manifests and blobs are in what Partial returns. Of
// the blob that was being written it counts the bytes of the entry, which may be
// compressed.
func (a *Archive) Kept() int64 {
	if a.replay != nil {
		return a.replay.content()
	}
	return a.whole + min(a.written, a.size)
}

// begin writes oci-layout, with the first entry that follows it: an archive that
// nothing is put into leaves a pipe empty.
func (a *Archive) begin() error {
	if a.begun {
		return nil
	}
	a.begun = true
	if same, err := a.same(bundle.LayoutFile, []byte(layoutFile)); err != nil || same {
		return err
	}
	return a.out.Put(bundle.LayoutFile, []byte(layoutFile))
}

func (a *Archive) end() error {
	if err := a.out.End(); err != nil {
		return err
	}
	return a.medium.entered()
}
