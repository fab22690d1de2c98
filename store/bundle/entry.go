package bundle

import (
	"io"
	"os"
)

// Entry is the content of one entry. It is not safe for concurrent use; any number of them
// may be open at once.
type Entry struct {
	size   int64
	source io.Reader // *members, *io.SectionReader, or closed

	sequence Sequence // nil after Close
}

// Size returns the length of the content in bytes.
func (e *Entry) Size() int64 { return e.size }

// Read reads content. It verifies each member before it returns a byte of it.
func (e *Entry) Read(p []byte) (int, error) { return e.source.Read(p) }

// WriteTo writes the content without a copy in between.
func (e *Entry) WriteTo(w io.Writer) (int64, error) {
	if m, ok := e.source.(*members); ok {
		return m.WriteTo(w)
	}
	return io.Copy(w, e.source)
}

// Close frees the entry's memory, and ends the request of an entry in a bucket.
func (e *Entry) Close() error {
	if e.sequence == nil {
		return nil
	}
	err := e.sequence.Close()
	e.sequence = nil
	if m, ok := e.source.(*members); ok {
		rooms.Put(m.room)
	}
	e.source = closed{}
	return err
}

type closed struct{}

func (closed) Read([]byte) (int, error) { return 0, os.ErrClosed }

// members reads the members of one entry at random.
type members struct {
	content
	room   *room
	r      io.ReaderAt
	size   int64 // of the file
	offset int64 // of the next member
}

// openEntry opens the entry of a name whose first member is at offset.
func openEntry(r Sequence, size int64, name string, offset int64) (*Entry, error) {
	m := &members{r: r, size: size, offset: offset, room: rooms.Get().(*room)}
	m.content.source = m
	e := &Entry{source: m, sequence: r}
	h, err := m.open()
	if err == nil && h.name != name {
		err = damaged(offset, "expected the entry %s", name)
	}
	if err != nil {
		_ = e.Close() // the first error matters more
		return nil, err
	}
	e.size = h.size
	return e, nil
}

func (m *members) open() (entryHeader, error) {
	data, offset, err := m.nextMember()
	if err != nil {
		return entryHeader{}, err
	}
	return m.begin(data, offset)
}

func (m *members) nextMember() ([]byte, int64, error) {
	offset := m.offset
	data, length, err := readMember(m.r, m.size, offset, m.room)
	m.offset += length
	return data, offset, err
}

// readMember reads one member into room, and returns its data and its length in the file.
func readMember(r io.ReaderAt, size, offset int64, room *room) ([]byte, int64, error) {
	h, err := memberAt(r, size, offset)
	if err != nil {
		return nil, 0, err
	}
	member := room.member[:h.length]
	if err := readAt(r, member, offset); err != nil {
		return nil, 0, err
	}
	data, err := inflate(room.data, member, h, offset)
	return data, h.length, err
}

// memberAt reads the header of a member.
func memberAt(r io.ReaderAt, size, offset int64) (memberHeader, error) {
	var head [headerLength]byte
	if err := readAt(r, head[:], offset); err != nil {
		return memberHeader{}, err
	}
	return parseInFile(head[:], size, offset)
}

// parseInFile is parseMember for a member that has to end within the file.
func parseInFile(head []byte, size, offset int64) (memberHeader, error) {
	h, err := parseMember(head, offset)
	if err == nil && h.length > size-offset {
		err = cutOff(offset, "a member of %d bytes is longer than the file", h.length)
	}
	return h, err
}
