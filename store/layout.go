// Package store is where artifacts land: one OCI image layout, as a directory
// or as an archive, written, read and verified.
//
// A root stands in index.json only when all of its graph that was selected is
// stored. Resume, verify and partial success rest on that, so an index.json is
// put in place only when what it reaches is safe on the disk.
package store

import (
	"bytes"
	_ "crypto/sha256" // go-digest calculates with what is linked in
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
)

// MaxManifest is the largest manifest that is read into memory. Most registries
// stop at 4 MiB, but the index of a large build has been seen above it.
const MaxManifest = 16 << 20

// Input is what can be restored: a Layout, or a *Stream where the bytes come
// only once.
type Input interface {
	// Index returns what index.json lists. It is not to be modified.
	Index() *Index
	Close() error
}

// Layout is a layout open for reading. It is safe for concurrent use.
type Layout interface {
	Input
	// Open returns the blob of that digest, or an error that is fs.ErrNotExist.
	// Its bytes are as they are stored, not verified. The caller closes it.
	Open(d digest.Digest) (Blob, error)
	// Stat returns the size of a blob, or an error that is fs.ErrNotExist.
	Stat(d digest.Digest) (int64, error)
}

// Blob is the content of one blob.
type Blob interface {
	io.ReadCloser
	Size() int64
}

// File is a Blob that is a file by itself: given to net/http as such, the kernel
// moves it to the socket.
type File interface{ File() *os.File }

// BlobOf returns a Blob of bytes in memory.
func BlobOf(data []byte) Blob { return memoryBlob{bytes.NewReader(data)} }

type memoryBlob struct{ *bytes.Reader }

func (memoryBlob) Close() error { return nil }

// lister is a Layout that knows which blobs it has, in the order in which they
// are read fastest. One may come twice.
type lister interface {
	blobs() iter.Seq[digest.Digest]
}

// reacher is a Layout that wants to know which manifests were read, to trust
// what they reach.
type reacher interface {
	reached(desc ocispec.Descriptor, data []byte)
}

// ReadManifest returns the bytes of a manifest, verified: what is not of the
// size or the digest of desc is a *MismatchError.
func ReadManifest(l Layout, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size < 0 || desc.Size > MaxManifest {
		return nil, fmt.Errorf("%s: invalid manifest size %d (at most %d)", desc.Digest, desc.Size, MaxManifest)
	}
	blob, err := l.Open(desc.Digest)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	data := make([]byte, desc.Size)
	if blob.Size() != desc.Size {
		return nil, &MismatchError{Descriptor: desc, Size: blob.Size()}
	}
	if _, err := io.ReadFull(blob, data); err != nil {
		return nil, fmt.Errorf("%s: %w", desc.Digest, err)
	}
	if err := checkContent(desc, data); err != nil {
		return nil, err
	}
	if l, ok := l.(reacher); ok {
		l.reached(desc, data)
	}
	return data, nil
}

// ReadChild is ReadManifest for what an index names, which may be a blob: BuildKit's
// registry cache is an index of layers. Then it returns nil. Of what is too large for
// a manifest no byte is read; anything else is hashed, since other bytes than those
// that were meant do not tell what was.
func ReadChild(l Layout, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size < 0 || desc.Size > MaxManifest {
		return nil, nil
	}
	object, err := startsAsObject(l, desc.Digest)
	switch {
	case err != nil:
		return nil, err
	case !object:
		return nil, hashBlob(l, desc, nil)
	}
	return ReadManifest(l, desc)
}

// beginsAsObject tells whether a blob may be a JSON object.
func startsAsObject(l Layout, d digest.Digest) (bool, error) {
	blob, err := l.Open(d)
	if err != nil {
		return false, err
	}
	defer blob.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(blob, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, fmt.Errorf("%s: %w", d, err)
	}
	return MayBeObject(head[:n]), nil
}

// check compares data with its descriptor.
func checkContent(desc ocispec.Descriptor, data []byte) error {
	if err := desc.Digest.Validate(); err != nil {
		return fmt.Errorf("%.200q: %w", desc.Digest, err)
	}
	got := &MismatchError{Descriptor: desc, Size: int64(len(data))}
	if got.Size != desc.Size {
		return got
	}
	if got.Digest = desc.Digest.Algorithm().FromBytes(data); got.Digest != desc.Digest {
		return got
	}
	return nil
}

// layoutFile is the content of oci-layout, as every tool writes it.
const layoutFile = `{"imageLayoutVersion":"` + ocispec.ImageLayoutVersion + `"}`

// errLayoutFile says that a file named oci-layout is something else.
var errLayoutFile = errors.New("its oci-layout file is invalid")

// checkLayoutFile makes sure that a layout is of a version that we know.
func checkLayoutFile(r io.Reader) error {
	var layout ocispec.ImageLayout
	if err := json.NewDecoder(io.LimitReader(r, 4096)).Decode(&layout); err != nil || layout.Version == "" {
		return errLayoutFile
	}
	if !strings.HasPrefix(layout.Version, "1.") {
		return fmt.Errorf("is an OCI layout of the unsupported version %.40q", layout.Version)
	}
	return nil
}
