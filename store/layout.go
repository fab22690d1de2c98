// Package store reads, writes and verifies OCI image layouts, in a directory or in an
// archive.
//
// [OpenLayout] opens a directory or an archive with random access, [OpenStream] an archive
// that can be read once, such as one from standard input. Both return the index, whose
// entries name manifests. [ReadManifest] and [oci.ParseManifest] read a manifest, an [oci.Walker]
// walks its graph, and Open of a [Layout] opens a blob. [Verify] checks a whole layout.
//
// [Create] opens an output: a [*Dir] or a [*Bucket], which are written in any order and
// added to, or an [*Archive], which is written in one order, to a file or a pipe. They
// replace index.json or the file only in Commit, and resume after an interruption.
// [Dir.Prune] and [Bucket.Prune] remove what is not needed.
//
// A name that begins with s3:// is a layout in a bucket, which any number of processes may
// write to at once.
//
// An input that cannot be read is an [*InputError], an output that cannot be written to an
// [*OutputError], and bytes that do not match their descriptor are an [*oci.MismatchError].
//
// An entry is in index.json only if all of its graph that was selected is stored. To
// resume, to verify, and to back up a part of a selection depends on that. So index.json
// is put in place only after all that it references is synced to the disk.
//
// Names, digests and sizes in a layout are not trusted: memory and depth have bounds. The
// package opens no connection except to a bucket that is named, and writes nothing except
// its output and its temporary files.
package store

import (
	"bytes"
	_ "crypto/sha256" // go-digest uses the hashes that are linked in
	_ "crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Input is the input of a restore: a Layout with random access, or a *Stream.
type Input interface {
	// Index returns the content of index.json. Do not modify it.
	Index() *oci.Index
	Close() error
}

// Layout is a layout open for reading. It is safe for concurrent use.
type Layout interface {
	Input
	// Open returns a blob, or an error that is fs.ErrNotExist. The bytes are not verified.
	// The caller closes the blob.
	Open(d digest.Digest) (Blob, error)
	// Stat returns the size of a blob, or an error that is fs.ErrNotExist.
	Stat(d digest.Digest) (int64, error)
}

// Blob is the content of one blob.
type Blob interface {
	io.ReadCloser
	Size() int64
}

// File is a Blob in a file of its own. net/http lets the kernel copy such a file to the
// socket.
type File interface{ File() *os.File }

// BlobOf returns a Blob with data as its content.
func BlobOf(data []byte) Blob { return memoryBlob{bytes.NewReader(data)} }

type memoryBlob struct{ *bytes.Reader }

func (memoryBlob) Close() error { return nil }

// PartOpener is a Layout in which a part of a blob costs less than the whole.
type PartOpener interface {
	// OpenPart is Open for n bytes from off on. Size returns the size of the whole blob.
	OpenPart(d digest.Digest, off, n int64) (Blob, error)
}

// lister is a Layout that lists its blobs, in the order in which they are read fastest. A
// blob may be listed twice.
type lister interface {
	blobs() iter.Seq[digest.Digest]
}

// reacher is a Layout that is told which manifests were read, to trust what they
// reference.
type reacher interface {
	reached(desc ocispec.Descriptor, data []byte)
}

// multiple is a Layout of several. Any of them may have the undamaged copy of a manifest.
type multiple interface {
	// readCopies calls read with one layout after the other, until one succeeds.
	readCopies(read func(Layout) ([]byte, error)) ([]byte, error)
}

// ReadManifest returns the bytes of a manifest, verified. If they do not have the size and
// the digest of desc, the error is an *oci.MismatchError.
func ReadManifest(l Layout, desc ocispec.Descriptor) ([]byte, error) {
	if u, ok := l.(multiple); ok {
		return u.readCopies(func(l Layout) ([]byte, error) { return ReadManifest(l, desc) })
	}
	if desc.Size < 0 || desc.Size > oci.MaxManifest {
		return nil, fmt.Errorf("%s: invalid manifest size %d (at most %d)", desc.Digest, desc.Size, oci.MaxManifest)
	}
	blob, err := openSized(l, desc)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	return readManifest(l, desc, blob)
}

// ReadBlob returns the content of an open blob that is a manifest, verified. A size of more
// than MaxManifest is an error.
func ReadBlob(l Layout, d digest.Digest, blob Blob) ([]byte, error) {
	desc := ocispec.Descriptor{Digest: d, Size: blob.Size()}
	if desc.Size > oci.MaxManifest {
		return nil, fmt.Errorf("%s: invalid manifest size %d (at most %d)", d, desc.Size, oci.MaxManifest)
	}
	return readManifest(l, desc, blob)
}

// openSized opens a blob that must have the size of desc.
func openSized(l Layout, desc ocispec.Descriptor) (Blob, error) {
	blob, err := l.Open(desc.Digest)
	if err != nil {
		return nil, err
	}
	if size := blob.Size(); size != desc.Size {
		return nil, errors.Join(&oci.MismatchError{Descriptor: desc, Size: size}, blob.Close())
	}
	return blob, nil
}

// readManifest reads the content of a manifest, verified.
func readManifest(l Layout, desc ocispec.Descriptor, r io.Reader) ([]byte, error) {
	data := make([]byte, desc.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("%s: %w", desc.Digest, err)
	}
	if err := oci.CheckContent(desc, data); err != nil {
		return nil, err
	}
	if l, ok := l.(reacher); ok {
		l.reached(desc, data)
	}
	return data, nil
}

// ReadChild is ReadManifest for a child of an index, which may be a blob: BuildKit's
// registry cache is an index of layers. For a blob it returns nil. A child that is too
// large for a manifest is a blob and is not read; any other blob is hashed, since damaged
// bytes could have been a manifest.
func ReadChild(l Layout, desc ocispec.Descriptor) ([]byte, error) {
	if u, ok := l.(multiple); ok {
		return u.readCopies(func(l Layout) ([]byte, error) { return ReadChild(l, desc) })
	}
	if desc.Size < 0 || desc.Size > oci.MaxManifest {
		return nil, nil
	}
	blob, err := openSized(l, desc)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	head := make([]byte, min(512, desc.Size))
	if _, err := io.ReadFull(blob, head); err != nil {
		return nil, fmt.Errorf("%s: %w", desc.Digest, err)
	}
	content := io.MultiReader(bytes.NewReader(head), blob)
	if !oci.MayBeObject(head) {
		return nil, hashReader(content, desc, nil)
	}
	return readManifest(l, desc, content)
}

// layoutFile is the content of oci-layout that every tool writes.
const layoutFile = `{"imageLayoutVersion":"` + ocispec.ImageLayoutVersion + `"}`

// errLayoutFile reports a file oci-layout with other content.
var errLayoutFile = errors.New("its oci-layout file is invalid")

// checkLayoutFile returns an error unless the version of a layout is supported.
func checkLayoutFile(r io.Reader) error {
	var layout ocispec.ImageLayout
	if err := json.NewDecoder(io.LimitReader(r, 4096)).Decode(&layout); err != nil || layout.Version == "" {
		return errLayoutFile
	}
	if !strings.HasPrefix(layout.Version, "1.") {
		return fmt.Errorf("OCI layout of the unsupported version %.40q", layout.Version)
	}
	return nil
}

// hashBlob reads a stored blob and compares it with its descriptor. After each read it
// calls progress, which may be nil, and returns its error.
func hashBlob(l Layout, desc ocispec.Descriptor, progress func(n int64) error) error {
	blob, err := l.Open(desc.Digest)
	if err != nil {
		return err
	}
	defer blob.Close()
	if size := blob.Size(); size != desc.Size {
		return &oci.MismatchError{Descriptor: desc, Size: size}
	}
	return hashReader(blob, desc, progress)
}

// ReadDelta reads the lists of a delta; it returns nil for a layout that is none. If a list
// is missing or damaged, the error is a *delta.Error, and the delta lists what could be read.
func ReadDelta(l Layout) (*delta.Delta, error) {
	return delta.Read(l.Index(), func(d digest.Digest) ([]byte, error) {
		blob, err := l.Open(d)
		if err != nil {
			return nil, err
		}
		defer blob.Close()
		if blob.Size() > oci.MaxManifest {
			return nil, fmt.Errorf("invalid size %d (at most %d)", blob.Size(), oci.MaxManifest)
		}
		return io.ReadAll(blob)
	})
}
