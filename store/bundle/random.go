package bundle

import (
	"errors"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
)

// Random is the content of one entry, read at random. It keeps no memory between calls, so
// that hundreds can be open, and is safe for concurrent use.
type Random struct {
	archive *Reader
	name    string
	offset  int64 // of members the first one; of a plain tar the content
	end     int64 // of the entry
	header  entryHeader
	stored  bool                     // all members are stored: their offsets are known
	begun   atomic.Pointer[sequence] // at the start of the entry, until the first WriteRange; nil: none
}

// sequence is a Sequence behind a pointer.
type sequence struct{ Sequence }

// OpenRandom opens the last entry of a name, not counting the skip ones at the end, or returns
// fs.ErrNotExist. It reads only the entry's header.
func (a *Reader) OpenRandom(name string, skip int) (*Random, error) {
	r, err := a.random(name, skip)
	if err == nil && a.members {
		err = r.readHeader(a.r)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// OpenWhole is OpenRandom for a caller that goes on with a WriteRange from the start: in a
// Sequencer one Sequence has both the header and the content.
func (a *Reader) OpenWhole(name string, skip int) (*Random, error) {
	r, err := a.random(name, skip)
	if err != nil {
		return nil, err
	}
	s := &sequence{sequenceOf(a.r, r.offset, r.end)}
	r.begun.Store(s)
	if a.members {
		err = r.readHeader(s)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// random returns an entry whose header is not read.
func (a *Reader) random(name string, skip int) (*Random, error) {
	p, ok := a.directory.findOlder(name, skip)
	if !ok {
		return nil, fs.ErrNotExist
	}
	r := &Random{archive: a, name: name, offset: p.offset, end: p.offset + p.size, header: entryHeader{name: name, size: p.size}}
	if a.members {
		r.end = a.endOf(p.offset)
	}
	return r, nil
}

// readHeader reads the header of an entry in members.
func (r *Random) readHeader(from io.ReaderAt) error {
	room := rooms.Get().(*room)
	defer rooms.Put(room)
	first, header, err := peekEntry(from, r.end, r.offset, room)
	if err != nil {
		return err
	}
	if header.name != r.name {
		return damaged(r.offset, "expected the entry %s", r.name)
	}
	r.header = header
	r.stored = first.length == int64(storedLength(first.inflated)) && int64(first.inflated) == min(header.total(), memberData)
	return nil
}

// Close ends what OpenWhole began and WriteRange did not use.
func (r *Random) Close() error {
	if s := r.begun.Swap(nil); s != nil {
		return s.Close()
	}
	return nil
}

// read returns a Sequence from an offset of the file to the end of the entry.
func (r *Random) read(from, end int64) Sequence {
	if s := r.begun.Swap(nil); s != nil {
		if from == r.offset {
			return s
		}
		_ = s.Close() // nothing was read but the header
	}
	return sequenceOf(r.archive.r, from, end)
}

// Size returns the length of the content in bytes.
func (r *Random) Size() int64 { return r.header.size }

// WriteRange writes n bytes of the content, from an offset on. It verifies the checksum of
// each member before it writes a byte of it; a plain tar has none.
func (r *Random) WriteRange(w io.Writer, from, n int64) error {
	switch {
	case n <= 0:
		return nil
	case !r.archive.members:
		s := r.read(r.offset+from, r.offset+from+n)
		defer s.Close()
		return copyPart(w, io.NewSectionReader(s, r.offset+from, n))
	case r.stored:
		return r.writeStored(w, from, n)
	}
	return r.writeInflated(w, from, n)
}

// window is a buffer of a copy. It holds a stored block with its header.
type window [64<<10 + storedHeader]byte

var windows = sync.Pool{New: func() any { return new(window) }}

func copyPart(w io.Writer, from io.Reader) error {
	buffer := windows.Get().(*window)
	defer windows.Put(buffer)
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{from}, buffer[:])
	return err
}

// writeStored goes straight to the members that hold the range.
func (r *Random) writeStored(w io.Writer, from, n int64) error {
	from += r.header.length // in the tar
	end := from + n
	last := r.member((end - 1) / memberData)
	// Where all members are stored these are the bytes of the range. If not, they may end anywhere.
	s := r.read(r.member(from/memberData).offset, min(last.offset+int64(storedLength(last.inflated)), r.end))
	defer s.Close()
	for from < end {
		number := from / memberData
		m := r.member(number)
		begin := from - number*memberData
		share := min(end-from, int64(m.inflated)-begin)
		if err := m.writeRange(w, r, s, begin, share); errors.Is(err, errOtherMember) {
			return r.writeInflated(w, from-r.header.length, end-from)
		} else if err != nil {
			return err
		}
		from += share
	}
	return nil
}

// member returns a member of an entry with stored members.
func (r *Random) member(number int64) storedMember {
	return storedMember{offset: r.offset + number*int64(storedLength(memberData)),
		inflated: int(min(r.header.total()-number*memberData, memberData))}
}

// inflating bounds the members that are in memory for WriteRange at once, 2 MiB each.
var inflating = make(chan struct{}, 24)

// writeInflated follows the headers of the members to the first one of the range, and
// inflates from there on.
func (r *Random) writeInflated(w io.Writer, from, n int64) error {
	from += r.header.length // in the tar
	s := r.read(r.offset, r.end)
	defer s.Close()
	offset := r.offset
	number := from / memberData
	for range number {
		h, err := memberAt(s, r.archive.size, offset)
		if err != nil {
			return err
		}
		offset += h.length
	}
	rest := r.header.total() - number*memberData
	for skip := from - number*memberData; n > 0; skip = 0 {
		length, written, err := r.writeMember(w, s, offset, rest, skip, n)
		if err != nil {
			return err
		}
		offset += length
		rest -= memberData
		n -= written
	}
	return nil
}

// writeMember writes at most n bytes of one member's data, and returns the length of the
// member in the file and the number of bytes written.
func (r *Random) writeMember(w io.Writer, s Sequence, offset, rest, skip, n int64) (length, written int64, err error) {
	inflating <- struct{}{}
	room := rooms.Get().(*room)
	release := sync.OnceFunc(func() { rooms.Put(room); <-inflating })
	defer release()
	data, length, err := readMember(s, r.archive.size, offset, room)
	if err == nil {
		err = checkShare(len(data), rest, offset)
	}
	if err != nil {
		return 0, 0, err
	}
	data = data[skip:]
	data = data[:min(n, int64(len(data)))]
	if len(data) <= len(window{}) { // a slow reader of little does not hold the member
		buffer := windows.Get().(*window)
		defer windows.Put(buffer)
		data = buffer[:copy(buffer[:], data)]
		release()
	}
	written = int64(len(data))
	for len(data) > 0 {
		n, err := w.Write(data[:min(len(data), len(window{}))])
		if err != nil {
			return 0, 0, err
		}
		data = data[n:]
	}
	return length, written, nil
}
