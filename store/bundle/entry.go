package bundle

import (
	"io"
	"os"
	"sync"
)

// Entry is the content of one entry. It is not safe for concurrent use; any
// number of them may be open side by side.
type Entry struct {
	size   int64
	source io.Reader
}

// Size is the length of the content in bytes.
func (e *Entry) Size() int64 { return e.size }

func (e *Entry) Read(p []byte) (int, error) { return e.source.Read(p) }

// WriteTo hands the content on without a copy in between.
func (e *Entry) WriteTo(w io.Writer) (int64, error) {
	if m, ok := e.source.(*members); ok {
		return m.WriteTo(w)
	}
	return io.Copy(w, e.source)
}

// Section returns where the content lies in the file, if it lies there as it is.
func (e *Entry) Section() (offset int64, ok bool) {
	s, ok := e.source.(*io.SectionReader)
	if !ok {
		return 0, false
	}
	_, offset, _ = s.Outer()
	return offset, true
}

// Close lets go of the entry's memory.
func (e *Entry) Close() error {
	if m, ok := e.source.(*members); ok {
		m.free()
	}
	e.source = closed{}
	return nil
}

type closed struct{}

func (closed) Read([]byte) (int, error) { return 0, os.ErrClosed }

// rooms hold a member and what it inflates to.
var rooms = sync.Pool{New: func() any { return &room{make([]byte, MaxMember), make([]byte, 0, memberData)} }}

type room struct{ member, data []byte }

// members reads the content of one entry, member by member, each checked before
// a byte of it is handed on.
type members struct {
	r      io.ReaderAt
	end    int64 // of the file
	offset int64 // of the next member
	rest   int64 // of the entry, padding included, in members not yet read
	left   int64 // of the content
	data   []byte
	*room
}

// openEntry opens the entry whose first member is at offset.
func openEntry(r io.ReaderAt, end int64, name string, offset int64) (*Entry, error) {
	m := &members{r: r, end: end, offset: offset, rest: memberData, room: rooms.Get().(*room)}
	e := &Entry{source: m}
	var err error
	if e.size, err = m.open(name); err != nil {
		_ = e.Close() // it frees memory and cannot fail
		return nil, err
	}
	return e, nil
}

// open reads the first member and returns the size of the content.
func (m *members) open(name string) (int64, error) {
	at := m.offset
	data, err := m.next()
	if err != nil {
		return 0, err
	}
	h, skip, err := parseTar(data, at)
	if err == io.EOF || err == nil && h.Name != name {
		return 0, damaged(at, "the entry %s is not here", name)
	}
	if err != nil {
		return 0, err
	}
	m.rest = skip + h.Size + padding(h.Size)
	m.left = h.Size
	return h.Size, m.take(data, at, skip)
}

// take accepts a member's data after skip bytes of it.
func (m *members) take(data []byte, at, skip int64) error {
	if want := min(m.rest, memberData); int64(len(data)) != want {
		return damaged(at, "a member inflates to %d bytes instead of %d", len(data), want)
	}
	m.rest -= int64(len(data))
	data = data[skip:]
	m.data = data[:min(m.left, int64(len(data)))]
	m.left -= int64(len(m.data))
	return nil
}

// next reads the next member.
func (m *members) next() ([]byte, error) {
	h, err := memberAt(m.r, m.end, m.offset)
	if err != nil {
		return nil, err
	}
	member := m.member[:h.length]
	if err := readAt(m.r, member, m.offset); err != nil {
		return nil, err
	}
	data, err := inflate(m.room.data, member, h, m.offset)
	m.offset += h.length
	return data, err
}

// fill makes sure that there is data; io.EOF at the end of the content.
func (m *members) fill() error {
	for len(m.data) == 0 {
		if m.rest == 0 {
			return io.EOF
		}
		at := m.offset
		data, err := m.next()
		if err != nil {
			return err
		}
		if err := m.take(data, at, 0); err != nil {
			return err
		}
	}
	return nil
}

func (m *members) Read(p []byte) (int, error) {
	if err := m.fill(); err != nil {
		return 0, err
	}
	n := copy(p, m.data)
	m.data = m.data[n:]
	return n, nil
}

func (m *members) WriteTo(w io.Writer) (written int64, err error) {
	for {
		if err := m.fill(); err == io.EOF {
			return written, nil
		} else if err != nil {
			return written, err
		}
		n, err := w.Write(m.data)
		written += int64(n)
		m.data = m.data[n:]
		if err != nil {
			return written, err
		}
	}
}

func (m *members) free() {
	if m.room != nil {
		rooms.Put(m.room)
		m.room = nil
	}
}
