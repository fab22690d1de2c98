package bundle

import (
	"bufio"
	"bytes"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is the default limit of zstd itself. It bounds the decoder's memory.
const maxZstdWindow = 128 << 20

// Stream reads an archive once, from start to end. It detects plain tar, gzip and zstd by the
// first bytes. For members of this package it checks all rules of the format, verifies each
// member before it returns a byte of it, and compares the table with the entries.
type Stream struct {
	source  streamSource
	members bool
	close   func()
	err     error // of Next, for good: io.EOF or worse
}

// streamSource reads the entries of a stream.
type streamSource interface {
	// next skips the unread content of an entry and goes to the next one. After the
	// last it checks the end of the archive and returns io.EOF.
	next() (name string, size int64, err error)
	read(p []byte) (int, error)
}

// NewStream reads the first bytes of r. The error is ErrNotArchive if they are not those of
// an archive.
func NewStream(r io.Reader) (*Stream, error) {
	in := &watched{Reader: r}
	b := bufio.NewReaderSize(in, 64<<10)
	head, err := b.Peek(headerLength)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if isMember(head) {
		m := newMemberStream(b)
		return &Stream{source: m, members: true, close: m.free}, nil
	}
	s := &Stream{close: func() {}}
	tar, err := s.decompress(b, head)
	if err == nil {
		s.source, err = newTarStream(&decoded{r: tar, in: in})
	}
	if err != nil {
		s.close()
		return nil, in.fault(err, 0)
	}
	return s, nil
}

// decompress returns the tar in a foreign archive.
func (s *Stream) decompress(b *bufio.Reader, head []byte) (io.Reader, error) {
	switch {
	case bytes.HasPrefix(head, magicGzip):
		return gzip.NewReader(b)
	case bytes.HasPrefix(head, magicZstd):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		s.close = z.Close
		return z, nil
	}
	return b, nil
}

// Members reports whether the archive is in members of this package.
func (s *Stream) Members() bool { return s.members }

// Next goes to the next file and returns its cleaned name and its size. After the last file
// it checks the end of the archive and returns io.EOF.
func (s *Stream) Next() (name string, size int64, err error) {
	if s.err == nil {
		name, size, s.err = s.source.next()
	}
	if s.err != nil {
		return "", 0, s.err
	}
	return name, size, nil
}

// Read reads the content of the file that Next returned.
func (s *Stream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	return s.source.read(p)
}

// Close frees the memory of the stream. It does not close the underlying reader.
func (s *Stream) Close() error {
	if s.err != os.ErrClosed {
		s.close()
		s.err = os.ErrClosed
	}
	return nil
}
