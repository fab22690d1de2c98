package bundle

import (
	"archive/tar"
	"bufio"
	"bytes"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is what zstd itself takes without being asked to take more.
const maxZstdWindow = 128 << 20

// Stream reads a tar once, from start to end: plain, gzip, zstd, told by its
// bytes. Members of ours are held against all the rules of the format.
type Stream struct {
	tar     *tar.Reader
	source  *ending
	own     *memberStream // nil: not in members of ours
	close   func()
	entries int
}

// NewStream looks at the first bytes of r. ErrNotArchive says that they are no tar's.
func NewStream(r io.Reader) (*Stream, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(headerLength)
	if err != nil && err != io.EOF {
		return nil, err
	}
	s := &Stream{close: func() {}}
	source := io.Reader(b)
	switch {
	case isMember(head):
		s.own = &memberStream{r: b}
		source = s.own
	case bytes.HasPrefix(head, magics[0]):
		if source, err = gzip.NewReader(b); err != nil {
			return nil, damaged(0, "%v", err)
		}
	case bytes.HasPrefix(head, magics[1]):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		source, s.close = z, z.Close
	}
	t := bufio.NewReaderSize(source, 64<<10)
	block, err := t.Peek(tarBlock)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if !isTar(block) {
		if s.own != nil || len(block) > 0 && err == io.EOF && isTarStart(block) {
			return nil, damaged(0, "the archive is cut off")
		}
		return nil, ErrNotArchive
	}
	s.source = &ending{r: t}
	s.tar = tar.NewReader(s.source)
	return s, nil
}

func isTarStart(p []byte) bool { return len(p) >= 262 && string(p[257:262]) == "ustar" }

// Members tells whether the archive is in members of ours.
func (s *Stream) Members() bool { return s.own != nil }

// Next goes to the next file and returns its cleaned name and its size; io.EOF
// after the last, when the archive has been found to end as it should.
func (s *Stream) Next() (name string, size int64, err error) {
	for {
		h, err := s.tar.Next()
		if err == io.EOF {
			return "", 0, s.end()
		}
		if err != nil {
			return "", 0, s.fault(err)
		}
		name, ok, err := entryName(h, s.source.at)
		if err != nil {
			return "", 0, err
		}
		if s.entries++; s.entries > maxEntries {
			return "", 0, damaged(s.source.at, "more than %d entries", maxEntries)
		}
		if ok {
			return name, h.Size, nil
		}
	}
}

// Read reads the content of the file that Next went to.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.tar.Read(p)
	if err != nil && err != io.EOF {
		err = s.fault(err)
	}
	return n, err
}

// Close lets go of a decoder's memory. It does not close what is read.
func (s *Stream) Close() error {
	s.close()
	return nil
}

// fault prefers what the members say to what a tar makes of it.
func (s *Stream) fault(err error) error {
	if s.source.err != nil && s.source.err != io.EOF {
		return s.source.err
	}
	return damaged(s.source.at, "%v", err)
}

// end reads what stands behind the tar: nothing, zeros, or a table.
func (s *Stream) end() error {
	if !s.source.zeros {
		return damaged(s.source.at, "the tar has no end")
	}
	if _, err := io.Copy(io.Discard, s.source); err != nil {
		return s.fault(err)
	}
	if s.own != nil && s.own.table && !s.own.last {
		return damaged(s.own.at, "the table is cut off")
	}
	return io.EOF
}

// ending notes how a tar ends: archive/tar takes one that was cut between two
// entries for whole.
type ending struct {
	r     io.Reader
	at    int64
	zeros bool // the last thing read was a block of zeros
	err   error
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.at += int64(n)
	if n > 0 {
		e.zeros = n == tarBlock && len(bytes.TrimLeft(p[:n], "\x00")) == 0
	}
	if err != nil {
		e.err = err
	}
	return n, err
}

// memberStream inflates members one behind the other.
type memberStream struct {
	r      *bufio.Reader
	at     int64
	data   []byte
	member []byte
	buffer []byte
	table  bool // a member of a table was met
	last   bool // and it was the last one
}

func (m *memberStream) Read(p []byte) (int, error) {
	for len(m.data) == 0 {
		if err := m.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, m.data)
	m.data = m.data[n:]
	return n, nil
}

func (m *memberStream) next() error {
	head, err := m.r.Peek(headerLength)
	if len(head) == 0 && err == io.EOF {
		return io.EOF
	}
	if err != nil && err != io.EOF {
		return err
	}
	h, err := parseHeader(head, m.at)
	if err != nil {
		if len(head) < headerLength {
			return damaged(m.at+int64(len(head)), "the file ends here")
		}
		return err
	}
	m.member = slices.Grow(m.member[:0], int(h.length))
	m.buffer = slices.Grow(m.buffer[:0], h.inflated)
	member := m.member[:h.length]
	if n, err := io.ReadFull(m.r, member); err != nil {
		if err == io.ErrUnexpectedEOF {
			return damaged(m.at+int64(n), "the file ends here")
		}
		return err
	}
	if m.data, err = inflate(m.buffer, member, h, m.at); err != nil {
		return err
	}
	if h.inflated == 0 {
		payload, err := tableMember(member, m.at)
		m.table, m.last = m.table || err == nil, len(payload) == 16
	}
	m.at += h.length
	return nil
}
