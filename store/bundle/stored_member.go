package bundle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

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
