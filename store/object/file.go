// Package object reads and writes a bundle that is one object in a bucket. It is read at random,
// with few requests, and written in parts, each sent while the next one is filled.
package object

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sync"
	"time"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

const (
	// tailLength is the part of a bundle that is read first. It has a table of 12,000 entries.
	tailLength = 512 << 10
	// headLength bounds the part that is read next and kept: the manifests and index.json of
	// some 300 artifacts.
	headLength = 256 << 10
	// windowLength is the part that is read and kept for the header of an entry. Most entries
	// that are not layers end in it.
	windowLength = 32 << 10
	// maxWindows bounds the parts that are kept for headers.
	maxWindows = 8
	// smallRead is the length of the largest read that may be of a header.
	smallRead = 16 << 10
)

// File reads an object at random. Its end is read first, with the request that tells its size. All
// reads are of that version of the object. It is safe for concurrent use.
type File struct {
	Size int64 // bytes

	client  *bucket.Client
	key     string
	etag    string
	changed time.Time
	head    piece // set before the first concurrent use
	tail    piece

	mu      sync.Mutex // guards the following fields
	windows [maxWindows]piece
	oldest  int
}

// piece is a part of an object in memory.
type piece struct {
	at   int64
	data []byte
}

// from returns the bytes from off on.
func (p piece) from(off int64) []byte {
	if off < p.at || off > p.at+int64(len(p.data)) {
		return nil
	}
	return p.data[off-p.at:]
}

var _ bundle.Sequencer = (*File)(nil)

// Open opens an object, and reads its end.
func Open(client *bucket.Client, key string) (*File, error) {
	tail, err := client.OpenTail(client.Context(), key, tailLength)
	if errors.Is(err, bucket.ErrRange) {
		return nil, errors.New("empty")
	}
	if err != nil {
		return nil, err
	}
	defer tail.Close()
	f := &File{client: client, key: key, etag: tail.ETag(), Size: tail.Size(), changed: time.Unix(tail.Info().Changed, 0)}
	f.tail.at = tail.Offset()
	if f.tail.data, err = io.ReadAll(tail); err != nil {
		return nil, err
	}
	return f, nil
}

// KeepHead reads everything up to end and keeps it, if that is little; ok is false if not.
func (f *File) KeepHead(end int64) (ok bool, err error) {
	if end > headLength {
		return false, nil
	}
	if len(f.known(0)) < int(end) {
		f.head, err = f.read(0, end)
	}
	return err == nil, err
}

// read reads a part of the object.
func (f *File) read(off, n int64) (piece, error) {
	p := piece{off, make([]byte, min(n, f.Size-off))}
	s := &sequence{file: f, end: off + int64(len(p.data))}
	defer s.Close()
	_, err := io.ReadFull(io.NewSectionReader(s, off, int64(len(p.data))), p.data)
	return p, err
}

// known returns the bytes from off on that are in memory.
func (f *File) known(off int64) (most []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range append(f.windows[:], f.head, f.tail) {
		if known := p.from(off); len(known) > len(most) {
			most = known
		}
	}
	return most
}

// ReadAt reads from memory, or with a request of its own. What follows the bytes of a small
// read is kept for the next one.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	known := f.known(off)
	if rest := f.Size - off; len(known) < len(p) && int64(len(known)) < rest {
		if off < 0 || len(p) > smallRead {
			s := f.Sequence(off, min(off+int64(len(p)), f.Size))
			defer s.Close()
			return s.ReadAt(p, off)
		}
		window, err := f.read(off, windowLength)
		if err != nil {
			return 0, err
		}
		f.keep(window)
		known = window.data
	}
	n := copy(p, known)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// keep keeps a window in place of the oldest one.
func (f *File) keep(window piece) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.windows[f.oldest] = window
	f.oldest = (f.oldest + 1) % maxWindows
}

// Sequence returns a reader of a part, which needs no request if the part is in memory.
func (f *File) Sequence(off, end int64) bundle.Sequence {
	end = min(end, f.Size)
	if known := f.known(off); int64(len(known)) >= end-off {
		return memorySequence{piece{off, known}}
	}
	return &sequence{file: f, at: off, end: end}
}

// memorySequence reads a part that is in memory.
type memorySequence struct{ piece }

func (s memorySequence) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, s.from(off))
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (memorySequence) Close() error { return nil }

// Reader reads the whole object.
func (f *File) Reader() io.Reader { return io.NewSectionReader(f.Sequence(0, f.Size), 0, f.Size) }

// Stat returns what is known of the object.
func (f *File) Stat() (fs.FileInfo, error) { return fileInfo{f}, nil }

// fileInfo describes an object.
type fileInfo struct{ file *File }

func (i fileInfo) Name() string       { return path.Base(i.file.key) }
func (i fileInfo) Size() int64        { return i.file.Size }
func (i fileInfo) Mode() fs.FileMode  { return 0o444 }
func (i fileInfo) ModTime() time.Time { return i.file.changed }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }
func (i fileInfo) ETag() string       { return i.file.etag }

// Close does nothing: no request is open.
func (f *File) Close() error { return nil }

// sequence reads a part of an object with one request, which begins with the first
// read.
type sequence struct {
	file   *File
	body   *bucket.Reader // nil before the first read
	buffer *bufio.Reader
	at     int64 // of the next byte of the buffer
	end    int64
}

// peekLength is the length of the largest read whose bytes may be read again.
const peekLength = 64 << 10

// ReadAt reads forward from where the last read began or ended.
func (s *sequence) ReadAt(p []byte, off int64) (int, error) {
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

func (s *sequence) open(off int64) (err error) {
	f := s.file
	if s.body, err = f.client.OpenVersion(f.client.Context(), f.key, f.etag, off, s.end-off); err != nil {
		s.body = nil
		return err
	}
	s.buffer, s.at = bufio.NewReaderSize(s.body, peekLength), off
	return nil
}

// Close ends the request.
func (s *sequence) Close() error {
	if s.body == nil {
		return nil
	}
	return s.body.Close()
}
