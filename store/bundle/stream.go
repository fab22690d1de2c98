package bundle

import (
	"bufio"
	"bytes"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is what zstd itself takes without being asked to take more. It
// bounds the decoder's memory.
const maxZstdWindow = 128 << 20

// Stream reads an archive once, from start to end: plain, gzip, zstd, told by
// its bytes. Members of ours are held against all the rules of the format, each
// before a byte of it is handed on, and the table against the entries.
type Stream struct {
	source  streamSource
	members bool
	close   func()
	err     error // of Next, for good: io.EOF or worse
}

// streamSource is the entries of a stream.
type streamSource interface {
	// next passes over what is unread of an entry and goes to the next one;
	// io.EOF behind the last, when the archive has ended as it should.
	next() (name string, size int64, err error)
	read(p []byte) (int, error)
}

// NewStream looks at the first bytes of r. ErrNotArchive says that they are no
// archive's.
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

// Members tells whether the archive is in members of ours.
func (s *Stream) Members() bool { return s.members }

// Next goes to the next file and returns its cleaned name and its size; io.EOF
// after the last, when the archive has been found to end as it should.
func (s *Stream) Next() (name string, size int64, err error) {
	if s.err == nil {
		name, size, s.err = s.source.next()
	}
	if s.err != nil {
		return "", 0, s.err
	}
	return name, size, nil
}

// Read reads the content of the file that Next went to.
func (s *Stream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	return s.source.read(p)
}

// Close lets go of memory. It does not close what the stream is read from.
func (s *Stream) Close() error {
	if s.err != os.ErrClosed {
		s.close()
		s.err = os.ErrClosed
	}
	return nil
}
