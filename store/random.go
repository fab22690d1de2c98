package store

import (
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bundle"
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

// OpenRandom opens a blob.
func (p *archiveLayout) OpenRandom(d digest.Digest) (RandomBlob, error) {
	return p.openRandom(d, p.reader.OpenRandom)
}

// OpenWhole opens a blob that is read from its start.
func (p *archiveLayout) OpenWhole(d digest.Digest) (RandomBlob, error) {
	return p.openRandom(d, p.reader.OpenWhole)
}

func (p *archiveLayout) openRandom(d digest.Digest, open func(name string, skip int) (*bundle.Random, error)) (RandomBlob, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("%.200q: %w", d, err)
	}
	entry, err := open(bundle.BlobName(d), p.choose(d))
	if err != nil {
		return nil, err
	}
	return randomEntry{entry, p.file}, nil
}

// randomEntry is a blob in an archive, which stays open.
type randomEntry struct {
	*bundle.Random
	file archiveFile
}

func (e randomEntry) Stamp() (Stamp, error) { return stampOf(e.file) }

// OpenRandom opens a blob.
func (f *folder) OpenRandom(d digest.Digest) (RandomBlob, error) {
	blob, err := f.Open(d)
	if err != nil {
		return nil, err
	}
	return randomFile{blob.(*fileBlob)}, nil
}

// OpenWhole opens a blob that is read from its start.
func (f *folder) OpenWhole(d digest.Digest) (RandomBlob, error) { return f.OpenRandom(d) }

// randomFile is a blob in a file.
type randomFile struct{ *fileBlob }

func (b randomFile) Stamp() (Stamp, error) { return stampOf(b.file) }

// stampOf returns the stamp of a file. An object in place of a file has a tag.
func stampOf(f archiveFile) (Stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return Stamp{}, err
	}
	s := Stamp{Time: info.ModTime().UnixNano()}
	if object, ok := info.(objectInfo); ok {
		s.Tag = object.file.etag
	}
	return s, nil
}

func (b randomFile) WriteRange(w io.Writer, from, n int64) error {
	if n == 0 {
		return nil
	}
	if _, err := b.file.Seek(from, io.SeekStart); err != nil {
		return err
	}
	buffer := hashBuffers.Get().(*hashBuffer)
	defer hashBuffers.Put(buffer)
	written, err := io.CopyBuffer(w, io.LimitReader(b.file, n), buffer[:]) // or in the kernel
	if err == nil && written < n {
		err = io.ErrUnexpectedEOF
	}
	return err
}
