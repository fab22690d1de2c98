package bundle

import (
	"bytes"
	"encoding/binary"
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

// storedMember is a member with stored data at a known offset.
type storedMember struct {
	offset   int64
	inflated int
}

// errOtherMember reports that no stored member begins where the ones before it end if all of
// them are stored: an entry whose first member is stored may have deflated ones.
var errOtherMember = errors.New("not a stored member")

// block returns the offset in the member and the length of a block's data.
func (m storedMember) block(number int) (offset, length int) {
	return headerLength + number*(storedHeader+storedBlock) + storedHeader, min(storedBlock, m.inflated-number*storedBlock)
}

// blocks returns how many blocks the member has.
func (m storedMember) blocks() int { return max(1, (m.inflated+storedBlock-1)/storedBlock) }

// keeping bounds the stored members that are in memory for WriteRange at once, 1 MiB each.
var keeping = make(chan struct{}, 32)

// writeRange verifies the member and writes n bytes of its data. While others keep enough
// members, perhaps for readers that take nothing, it keeps none: it reads the member twice,
// which the page cache makes cheap, and a bucket two requests.
func (m storedMember) writeRange(w io.Writer, r *Random, s Sequence, from, n int64) error {
	length := storedLength(m.inflated)
	if m.offset+int64(length) > r.end {
		return errOtherMember
	}
	select {
	case keeping <- struct{}{}:
		defer func() { <-keeping }()
		room := rooms.Get().(*room)
		defer rooms.Put(room)
		member := keptMember(room.member[:length])
		if err := readAt(s, member, m.offset); err != nil {
			return err
		}
		if err := m.check(member); err != nil {
			return err
		}
		return m.copy(w, member, from, n)
	default:
		window := windows.Get().(*window)
		defer windows.Put(window)
		read := func(do func(memberBytes) error) error {
			s := sequenceOf(r.archive.r, m.offset, m.offset+int64(length))
			defer s.Close()
			return do(&fileMember{s, m.offset, window})
		}
		if err := read(m.check); err != nil {
			return err
		}
		return read(func(member memberBytes) error { return m.copy(w, member, from, n) })
	}
}

// memberBytes are the bytes of a member, from its header on.
type memberBytes interface {
	// bytes returns n bytes at an offset. They are valid until the next call.
	bytes(offset, n int) ([]byte, error)
}

// keptMember is a member in memory.
type keptMember []byte

func (m keptMember) bytes(offset, n int) ([]byte, error) { return m[offset:][:n], nil }

// fileMember is a member that is read from the file each time.
type fileMember struct {
	r      io.ReaderAt
	offset int64
	*window
}

func (m *fileMember) bytes(offset, n int) ([]byte, error) {
	return m.window[:n], readAt(m.r, m.window[:n], m.offset+int64(offset))
}

// copy writes n bytes of the member's data, which was checked.
func (m storedMember) copy(w io.Writer, from memberBytes, begin, n int64) error {
	for n > 0 {
		offset, length := m.block(int(begin / storedBlock))
		skip := int(begin % storedBlock)
		share, err := from.bytes(offset+skip, int(min(n, int64(length-skip))))
		if err != nil {
			return err
		}
		if _, err := w.Write(share); err != nil {
			return err
		}
		begin += int64(len(share))
		n -= int64(len(share))
	}
	return nil
}

// check verifies the headers, the trailer and the CRC of the member.
func (m storedMember) check(from memberBytes) error {
	head, err := from.bytes(0, headerLength)
	if err != nil {
		return err
	}
	h, err := parseMember(head, m.offset)
	if err != nil || h.inflated != m.inflated || h.length != int64(storedLength(m.inflated)) || h.extra != 0 {
		return errOtherMember
	}
	var crc uint32
	for number := range m.blocks() {
		offset, length := m.block(number)
		block, err := from.bytes(offset-storedHeader, storedHeader+length)
		if err != nil {
			return err
		}
		var header [storedHeader]byte
		if !bytes.Equal(block[:storedHeader], appendBlockHeader(header[:0], length, number == m.blocks()-1)) {
			return damaged(m.offset, "invalid stored block")
		}
		crc = updateCRC(crc, block[storedHeader:])
	}
	trailer, err := from.bytes(int(h.length)-trailerLength, trailerLength)
	if err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(trailer) != crc || binary.LittleEndian.Uint32(trailer[4:]) != uint32(m.inflated) {
		return damaged(m.offset, "wrong checksum")
	}
	return nil
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
