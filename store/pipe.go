package store

import (
	"bufio"
	"encoding/binary"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// pipe is an archive on standard output, in a pipe or on a device. It cannot take back
// what was written, so it writes only complete members: an aborted entry can then be
// filled with others.
type pipe struct {
	name        string
	compression bundle.Compression
	buffer      *bufio.Writer
	closer      io.Closer // nil for standard output

	desc   ocispec.Descriptor
	cutter cutter
}

// streamArchive starts a bundle that is written to w.
func streamArchive(w io.Writer, c bundle.Compression) *Archive {
	return newArchive(&pipe{name: "-", compression: c, buffer: bufio.NewWriterSize(w, 64<<10)}, c)
}

func (p *pipe) Write(b []byte) (int, error) { return p.buffer.Write(b) }

func (p *pipe) begin(desc ocispec.Descriptor) error {
	p.desc = desc
	p.cutter = cutter{compression: p.compression}
	return nil
}

func (p *pipe) encoded(out *bundle.Writer, b []byte) (int, error) {
	return len(b), p.cutter.cut(b, func(unit []byte) error {
		_, err := out.Write(unit)
		return err
	})
}

// entered flushes the entry to the reader.
func (p *pipe) entered() error { return p.buffer.Flush() }

// rollback fills the entry as if the rest of it were zeros: with the same units, except
// for those that were written.
func (p *pipe) rollback(out *bundle.Writer) error {
	written := p.cutter.units
	if written == 0 {
		out.Discard()
		return nil
	}
	zeros := cutter{compression: p.compression}
	fill := func(unit []byte) error {
		if unit = zeros.after(written, unit); len(unit) == 0 {
			return nil
		}
		_, err := out.Write(unit)
		return err
	}
	emit := func(b []byte) error { return zeros.cut(b, fill) }
	entry := bundle.NewEncoder(p.compression, bundle.BlobName(p.desc.Digest), p.desc.Size, emit)
	if _, err := io.CopyN(entry, zeroReader{}, p.desc.Size); err != nil {
		return err
	}
	if err := entry.Close(); err != nil {
		return err
	}
	if err := out.End(); err != nil {
		return err
	}
	return p.entered()
}

func (p *pipe) free() (bytes int64, ok bool) { return 0, false }

func (p *pipe) commit(bool) (path string, err error) {
	err = p.buffer.Flush()
	if e := p.close(); err == nil {
		err = e
	}
	return p.name, err
}

func (p *pipe) abort() error { return p.close() }

func (p *pipe) close() error {
	if p.closer == nil {
		return nil
	}
	return p.closer.Close()
}

func (p *pipe) leave() error { return p.abort() }

func (p *pipe) path() string { return p.name }

// cutter splits the bytes of an entry into units that stand for the same part of it
// whatever its content: members of a compressed archive, bytes of a plain one.
type cutter struct {
	compression bundle.Compression
	units       int64  // emitted
	rest        []byte // of an incomplete member
}

// cut emits the complete units of b and of what preceded it.
func (c *cutter) cut(b []byte, emit func([]byte) error) error {
	if c.compression == bundle.None {
		c.units += int64(len(b))
		return emit(b)
	}
	if len(c.rest) > 0 {
		c.rest = append(c.rest, b...)
		b = c.rest
	}
	for {
		n := memberLength(b)
		if n == 0 || n > len(b) {
			break
		}
		c.units++
		if err := emit(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	c.rest = append(c.rest[:0], b...)
	return nil
}

// after returns the part of an emitted unit that is not in the first units.
func (c *cutter) after(units int64, b []byte) []byte {
	switch {
	case c.compression != bundle.None && c.units <= units:
		return nil
	case c.compression != bundle.None:
		return b
	}
	return b[min(int64(len(b)), max(0, int64(len(b))-(c.units-units))):]
}

// memberLength returns the length of the member at the start of b, or 0 if b is too short
// to tell.
func memberLength(b []byte) int {
	// RFC 1952: ten bytes, the length of the extra field, then our subfield: two letters, its
	// length, and in it the length of the member.
	const at = 10 + 2 + 4
	if len(b) < at+4 {
		return 0
	}
	return int(binary.LittleEndian.Uint32(b[at:]))
}

// zeroReader reads an endless sequence of zeros.
type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
