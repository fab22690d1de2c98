package store

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
)

// RandomBlob is the content of one blob, read at random. It keeps no memory between calls:
// hundreds can be open.
type RandomBlob interface {
	io.Closer
	Size() int64
	// Stamp returns the stamp of the file or the object that has the blob.
	Stamp() (Stamp, error)
	// WriteRange writes n bytes, from an offset on. In a compressed bundle it verifies their
	// checksums first, which detects damage, but not a wrong digest. All calls read from one
	// version of an object; after it is replaced the error is ErrReplaced.
	WriteRange(w io.Writer, from, n int64) error
}

// Stamp identifies a state of the file or the object that has a blob: a blob of the same stamp
// and the same size has the same bytes.
type Stamp struct {
	Time int64  // of the last change, in nanoseconds; 0 if Tag alone tells
	Tag  string // the ETag of an object; "" for a file
}

// randomLayout is a Layout whose blobs are read at random.
type randomLayout interface {
	OpenRandom(d digest.Digest) (RandomBlob, error)
	OpenWhole(d digest.Digest) (RandomBlob, error)
}

// OpenRandom opens a blob of a layout that OpenLayout returned, or returns an error that is
// fs.ErrNotExist. The bytes are not hashed.
func OpenRandom(l Layout, d digest.Digest) (RandomBlob, error) {
	if l, ok := l.(randomLayout); ok {
		return l.OpenRandom(d)
	}
	return nil, fmt.Errorf("%T cannot be read at random", l)
}

// OpenWhole is OpenRandom for a caller that goes on with a WriteRange from the start. In a
// bucket both are one request.
func OpenWhole(l Layout, d digest.Digest) (RandomBlob, error) {
	if l, ok := l.(randomLayout); ok {
		return l.OpenWhole(d)
	}
	return nil, fmt.Errorf("%T cannot be read at random", l)
}

// ForgetIndex empties the index of a layout to free its memory: a caller that has read the
// entries needs only the blobs.
func ForgetIndex(l Layout) {
	if l, ok := l.(interface{ ForgetIndex() }); ok {
		l.ForgetIndex()
	}
}

// stampOf returns the stamp of a file. An object in place of a file has a tag.
func stampOf(f interface{ Stat() (fs.FileInfo, error) }) (Stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return Stamp{}, err
	}
	s := Stamp{Time: info.ModTime().UnixNano()}
	if object, ok := info.(interface{ ETag() string }); ok {
		s.Tag = object.ETag()
	}
	return s, nil
}
