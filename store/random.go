package store

import (
	"fmt"
	"io"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// RandomBlob is the content of one blob, read at random. It keeps no memory between calls:
// hundreds can be open.
type RandomBlob interface {
	io.Closer
	Size() int64
	// ModTime returns the time of the last change of the file that has the blob.
	ModTime() (time.Time, error)
	// WriteRange writes n bytes, from an offset on. In a compressed bundle it verifies their
	// checksums first, which detects damage, but not a wrong digest.
	WriteRange(w io.Writer, from, n int64) error
}

// randomLayout is a Layout whose blobs are read at random.
type randomLayout interface {
	OpenRandom(d digest.Digest) (RandomBlob, error)
}

// OpenRandom opens a blob of a layout that OpenLayout returned, or returns an error that is
// fs.ErrNotExist. The bytes are not hashed.
func OpenRandom(l Layout, d digest.Digest) (RandomBlob, error) {
	if l, ok := l.(randomLayout); ok {
		return l.OpenRandom(d)
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
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("%.200q: %w", d, err)
	}
	entry, err := p.reader.OpenRandom(bundle.BlobName(d), p.choose(d))
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

func (e randomEntry) ModTime() (time.Time, error) { return modTime(e.file) }

func (randomEntry) Close() error { return nil }

// OpenRandom opens a blob.
func (f *folder) OpenRandom(d digest.Digest) (RandomBlob, error) {
	blob, err := f.Open(d)
	if err != nil {
		return nil, err
	}
	return randomFile{blob.(*fileBlob)}, nil
}

// randomFile is a blob in a file.
type randomFile struct{ *fileBlob }

func (b randomFile) ModTime() (time.Time, error) { return modTime(b.file) }

func modTime(f archiveFile) (time.Time, error) {
	info, err := f.Stat()
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
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
