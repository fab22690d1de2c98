package bundle

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Recovered is the intact part of an unfinished archive.
type Recovered struct {
	Entries []RecoveredEntry // whole ones, in file order
	Tail    *RecoveredEntry  // the one that was being written; nil if nothing of it can be used
}

// RecoveredEntry is an entry of an unfinished archive.
type RecoveredEntry struct {
	Name    string
	Size    int64 // of the whole content
	Content int64 // bytes of it that are there
	Offset  int64 // where the entry begins in the file
	End     int64 // where what is there of it ends
}

// Recover reads an unfinished archive from its start as far as it is intact: it inflates
// every member and verifies its CRC. A plain tar has no CRC: there Recover takes an entry if
// all of its bytes are in the file, and never a part of one. It ignores what follows the
// first fault. The caller has to verify the digests of blobs. The error is one of r.
func Recover(r io.ReaderAt, size int64, c Compression) (*Recovered, error) {
	return RecoverFrom(r, 0, size, c)
}

// RecoverFrom is Recover for what follows an offset at which an entry begins.
func RecoverFrom(r io.ReaderAt, offset, size int64, c Compression) (*Recovered, error) {
	found := new(Recovered)
	read := found.members
	if c == None {
		read = found.plain
	}
	err := read(r, offset, size)
	var format *FormatError
	if err != io.EOF && !errors.As(err, &format) {
		return nil, err
	}
	return found, nil // this is the end of the tar, or of what is good
}

func (f *Recovered) members(r io.ReaderAt, offset, size int64) error {
	s := newMemberStream(bufio.NewReaderSize(io.NewSectionReader(r, offset, size-offset), 256<<10))
	s.offset = offset
	defer s.free()
	for {
		name, size, err := s.next()
		if err != nil {
			return err
		}
		e := RecoveredEntry{Name: name, Size: size, Offset: s.begun}
		e.Content, err = s.content.WriteTo(io.Discard)
		e.End = s.offset
		if err != nil {
			f.Tail = &e
			return err
		}
		f.Entries = append(f.Entries, e)
	}
}

// checkPadding checks that n bytes at an offset are zeros, as a Writer writes them: no
// digest covers them.
func checkPadding(r io.ReaderAt, offset, n int64) error {
	pad := make([]byte, n)
	if err := readAt(r, pad, offset); err != nil {
		return err
	}
	if len(bytes.TrimLeft(pad, "\x00")) > 0 {
		return damaged(offset, "the padding of an entry is not zeros")
	}
	return nil
}

func (f *Recovered) plain(r io.ReaderAt, offset, size int64) error {
	for {
		header := make([]byte, min(size-offset, longHeader))
		if err := readAt(r, header, offset); err != nil {
			return err
		}
		h, err := parseEntry(header, offset)
		switch {
		case err != nil:
			return err
		case h.end, h.total() > size-offset:
			return io.EOF
		}
		if err := tooMany(len(f.Entries), offset); err != nil {
			return err
		}
		if err := checkPadding(r, offset+h.length+h.size, padding(h.size)); err != nil {
			return err
		}
		e := RecoveredEntry{Name: h.name, Size: h.size, Content: h.size, Offset: offset, End: offset + h.total()}
		f.Entries = append(f.Entries, e)
		offset = e.End
	}
}
