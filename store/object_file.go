package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

const (
	// tailLength is the part of a bundle that is read first: it has the table of most.
	tailLength = 256 << 10
	// headLength has the first entries of a bundle.
	headLength = 16 << 10
)

// objectFile reads an archive in a bucket at random. Its end is read first, with the request
// that tells its size. It is safe for concurrent use.
type objectFile struct {
	client *bucket.Client
	key    string
	etag   string
	size   int64
	opened time.Time
	head   []byte
	tail   []byte
}

var _ bundle.Sequencer = (*objectFile)(nil)

// openObjectFile reads both ends of an object.
func openObjectFile(at bucket.Location, o bucket.Options) (*objectFile, error) {
	client, err := bucket.New(at.Bucket, o)
	if err != nil {
		return nil, err
	}
	tail, err := client.OpenTail(client.Context(), at.Key, tailLength)
	if errors.Is(err, bucket.ErrRange) {
		return nil, errEmpty
	}
	if err != nil {
		return nil, err
	}
	defer tail.Close()
	f := &objectFile{client: client, key: at.Key, etag: tail.ETag(), size: tail.Size(), opened: time.Now()}
	if f.tail, err = io.ReadAll(tail); err != nil {
		return nil, err
	}
	head := make([]byte, min(headLength, f.size-int64(len(f.tail))))
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, err
	}
	f.head = head
	return f, nil
}

// known returns the bytes from off on that are in memory.
func (f *objectFile) known(off int64) []byte {
	if at := f.size - int64(len(f.tail)); off >= at && off <= f.size {
		return f.tail[off-at:]
	}
	if off >= 0 && off < int64(len(f.head)) {
		return f.head[off:]
	}
	return nil
}

// ReadAt reads from memory, or with a request of its own.
func (f *objectFile) ReadAt(p []byte, off int64) (int, error) {
	if known := f.known(off); len(known) >= len(p) {
		return copy(p, known), nil
	}
	s := f.Sequence(off, min(off+int64(len(p)), f.size))
	defer s.Close()
	return s.ReadAt(p, off)
}

// Sequence returns a reader of a part, which needs no request if the part is in memory.
func (f *objectFile) Sequence(off, end int64) bundle.Sequence {
	if known := f.known(off); int64(len(known)) >= end-off {
		return memorySequence{f}
	}
	return &objectSequence{file: f, at: off, end: min(end, f.size)}
}

// reader reads the whole object.
func (f *objectFile) reader() io.Reader { return io.NewSectionReader(f.Sequence(0, f.size), 0, f.size) }

// Stat returns what is known of the object.
func (f *objectFile) Stat() (fs.FileInfo, error) { return objectInfo{f}, nil }

// objectInfo describes an object. All reads are of the version that was opened, so the time
// of its opening is as good as that of its last change.
type objectInfo struct{ file *objectFile }

func (i objectInfo) Name() string       { return path.Base(i.file.key) }
func (i objectInfo) Size() int64        { return i.file.size }
func (i objectInfo) Mode() fs.FileMode  { return 0o444 }
func (i objectInfo) ModTime() time.Time { return i.file.opened }
func (i objectInfo) IsDir() bool        { return false }
func (i objectInfo) Sys() any           { return nil }

// Close does nothing: no request is open.
func (f *objectFile) Close() error { return nil }

type memorySequence struct{ *objectFile }

// objectSequence reads a part of an object with one request, which begins with the first
// read.
type objectSequence struct {
	file   *objectFile
	body   *bucket.Reader // nil before the first read
	buffer *bufio.Reader
	at     int64 // of the next byte of the buffer
	end    int64
}

// peekLength is the length of the largest read whose bytes may be read again.
const peekLength = 64 << 10

// ReadAt reads forward from where the last read began or ended.
func (s *objectSequence) ReadAt(p []byte, off int64) (int, error) {
	if s.body == nil {
		if err := s.open(off); err != nil {
			return 0, err
		}
	}
	if off < s.at {
		return 0, fmt.Errorf("%s: read at byte %d after byte %d", s.file.key, off, s.at)
	}
	if _, err := io.CopyN(io.Discard, s.buffer, off-s.at); err != nil {
		return 0, err
	}
	s.at = off
	if len(p) <= peekLength {
		seen, err := s.buffer.Peek(len(p))
		return copy(p, seen), err
	}
	n, err := io.ReadFull(s.buffer, p)
	s.at += int64(n)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

func (s *objectSequence) open(off int64) (err error) {
	f := s.file
	if s.body, err = f.client.OpenVersion(f.client.Context(), f.key, f.etag, off, s.end-off); err != nil {
		s.body = nil
		return err
	}
	s.buffer, s.at = bufio.NewReaderSize(s.body, peekLength), off
	return nil
}

// Close ends the request.
func (s *objectSequence) Close() error {
	if s.body == nil {
		return nil
	}
	return s.body.Close()
}
