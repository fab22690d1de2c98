package bundle

import (
	"archive/tar"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

const (
	tarBlock = 512
	// maxUSTAR is the first size that the octal digits of a USTAR header cannot hold.
	maxUSTAR = 1 << 33
)

// Encoder makes the bytes of one entry: a tar header, the content, padding, cut
// into members. It is not safe for concurrent use; any number of them are used
// side by side, ahead of the one Writer.
type Encoder struct {
	emit    func(p []byte) error
	frame   framer // nil until the content's first bytes tell which
	header  []byte
	head    []byte // of the content, until there is a frame
	gzip    bool
	size    int64 // of the content
	written int64
}

// framer takes the tar bytes of an entry and emits them in its frame.
type framer interface {
	feed(p []byte) error
	close() error
}

// NewEncoder begins an entry of size bytes. emit gets at most MaxMember bytes at
// a time, which are valid only during the call.
func NewEncoder(c Compression, name string, size int64, emit func(p []byte) error) *Encoder {
	return &Encoder{emit: emit, header: tarHeader(name, size), gzip: c == Gzip, size: size}
}

// tarHeader is the header of a regular file without owner, time or rights but
// those of reading. USTAR, which every tar reads; GNU for what it cannot hold.
// (oras-go misreads PAX.)
func tarHeader(name string, size int64) []byte {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, Format: tar.FormatUSTAR}
	if len(name) > 100 || size >= maxUSTAR {
		h.Format = tar.FormatGNU
	}
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(h); err != nil {
		panic(fmt.Sprintf("tar header of %q, %d bytes: %v", name, size, err)) // names are ours
	}
	return b.Bytes()
}

// Write adds content. More than the entry's size is an error.
func (e *Encoder) Write(p []byte) (int, error) {
	if e.written+int64(len(p)) > e.size {
		return 0, fmt.Errorf("entry has more than its %d bytes", e.size)
	}
	e.written += int64(len(p))
	if e.frame == nil {
		e.head = append(e.head, p[:min(len(p), sniffLength)]...)
		rest := p[min(len(p), sniffLength):]
		if len(e.head) < sniffLength && e.written < e.size {
			return len(p), nil
		}
		if err := e.begin(); err != nil {
			return 0, err
		}
		return len(p), e.frame.feed(rest)
	}
	return len(p), e.frame.feed(p)
}

// begin chooses the frame by the first bytes of the content.
func (e *Encoder) begin() error {
	total := int64(len(e.header)) + e.size + padding(e.size)
	switch {
	case !e.gzip:
		e.frame = plain{e.emit}
	case isCompressed(e.head):
		e.frame = &storer{emit: e.emit, rest: total}
	default:
		e.frame = &deflater{emit: e.emit}
	}
	if err := e.frame.feed(e.header); err != nil {
		return err
	}
	return e.frame.feed(e.head)
}

// Close ends the entry. Less than the entry's size is an error.
func (e *Encoder) Close() error {
	if e.written < e.size {
		if d, ok := e.frame.(*deflater); ok {
			d.free()
		}
		return fmt.Errorf("entry has %d bytes instead of %d: %w", e.written, e.size, io.ErrUnexpectedEOF)
	}
	if e.frame == nil {
		if err := e.begin(); err != nil {
			return err
		}
	}
	if err := e.frame.feed(make([]byte, padding(e.size))); err != nil {
		return err
	}
	return e.frame.close()
}

func padding(size int64) int64 { return -size & (tarBlock - 1) }

// plain emits tar bytes as they are.
type plain struct{ emit func([]byte) error }

func (f plain) close() error { return nil }

func (f plain) feed(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), MaxMember)
		if err := f.emit(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// storer frames tar bytes in stored blocks. All lengths are known in advance,
// so that the bytes pass through without being held.
type storer struct {
	emit    func([]byte) error
	rest    int64 // of the entry, from the next member on
	member  int   // bytes that the member still lacks
	block   int   // bytes that the stored block still lacks
	length  int   // what the member inflates to
	crc     uint32
	scratch [headerLength]byte
}

func (f *storer) feed(p []byte) error {
	for len(p) > 0 {
		if f.block == 0 {
			if err := f.begin(); err != nil {
				return err
			}
		}
		n := min(len(p), f.block)
		if err := f.emit(p[:n]); err != nil {
			return err
		}
		f.crc = crc32.Update(f.crc, crc32.IEEETable, p[:n])
		f.block -= n
		f.member -= n
		p = p[n:]
		if f.member == 0 {
			if err := f.emit(appendTrailer(f.scratch[:0], f.crc, f.length)); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin emits the headers of the next block and, where one is due, member.
func (f *storer) begin() error {
	if f.member == 0 {
		f.length = int(min(f.rest, memberData))
		f.member, f.crc = f.length, 0
		f.rest -= int64(f.length)
		if err := f.emit(appendHeader(f.scratch[:0], storedLength(f.length), f.length, nil)); err != nil {
			return err
		}
	}
	f.block = min(f.member, storedBlock)
	return f.emit(appendBlockHeader(f.scratch[:0], f.block, f.block == f.member))
}

func (f *storer) close() error { return nil }

// buffers hold the data of one member, and what became of it.
var buffers = sync.Pool{New: func() any {
	return &buffer{make([]byte, 0, memberData), make([]byte, 0, MaxMember)}
}}

type buffer struct{ data, member []byte }

// deflater gathers the data of a member and compresses it.
type deflater struct {
	emit func([]byte) error
	*buffer
}

func (f *deflater) feed(p []byte) error {
	if f.buffer == nil && len(p) > 0 {
		f.buffer = buffers.Get().(*buffer)
	}
	for len(p) > 0 {
		n := min(len(p), memberData-len(f.data))
		f.data = append(f.data, p[:n]...)
		p = p[n:]
		if len(f.data) == memberData {
			if err := f.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *deflater) flush() error {
	f.member = appendDeflated(f.member[:0], f.data)
	f.data = f.data[:0]
	return f.emit(f.member)
}

func (f *deflater) close() error {
	defer f.free()
	if f.buffer == nil || len(f.data) == 0 {
		return nil
	}
	return f.flush()
}

func (f *deflater) free() {
	if f.buffer != nil {
		f.data = f.data[:0]
		buffers.Put(f.buffer)
		f.buffer = nil
	}
}
