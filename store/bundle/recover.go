package bundle

import (
	"archive/tar"
	"errors"
	"io"
)

// Recovered is what is good of an archive that a run could not finish.
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

// Recover reads an unfinished archive from its start as far as it is good: every
// member is inflated and its CRC checked. What follows the first fault is as if
// it were not there. The digests of blobs are the caller's to check.
func Recover(r io.ReaderAt, size int64, c Compression) (*Recovered, error) {
	found := new(Recovered)
	for offset := int64(0); offset < size; {
		e, whole, err := recoverEntry(r, size, offset, c)
		var format *FormatError
		if err == io.EOF || errors.As(err, &format) {
			break // the end of the tar, or of what is good
		}
		if err != nil {
			return nil, err
		}
		if !whole {
			found.Tail = &e
			break
		}
		found.Entries = append(found.Entries, e)
		offset = e.End
	}
	return found, nil
}

// recoverEntry reads the entry at offset, member by member as far as they are
// good, and tells whether it is whole.
func recoverEntry(r io.ReaderAt, size, offset int64, c Compression) (e RecoveredEntry, whole bool, err error) {
	if c == None {
		e, err = recoverPlain(r, size, offset)
		return e, true, err
	}
	data, length, err := readMember(r, size, offset, nil)
	if err != nil {
		return e, false, err
	}
	h, skip, err := parseTar(data, offset)
	if err != nil {
		return e, false, err
	}
	e = RecoveredEntry{Name: h.Name, Size: h.Size, Offset: offset, End: offset + length}
	total, have := skip+h.Size+padding(h.Size), int64(len(data))
	for have < total && len(data) == memberData {
		if data, length, err = readMember(r, size, e.End, data); err != nil {
			break // here the good part ends
		}
		have += int64(len(data))
		e.End += length
	}
	e.Content = min(have-skip, h.Size)
	if have > total || have < total && have%memberData != 0 {
		return e, false, damaged(offset, "the entry does not end with its member")
	}
	return e, have == total, nil
}

// recoverPlain takes an entry of a plain tar only if it is whole: without a CRC
// nothing tells how far a part of one is good.
func recoverPlain(r io.ReaderAt, size, offset int64) (RecoveredEntry, error) {
	source := &counting{section: io.NewSectionReader(r, offset, size-offset)}
	h, err := tar.NewReader(source).Next()
	if err != nil {
		return RecoveredEntry{}, io.EOF
	}
	e := RecoveredEntry{Name: h.Name, Size: h.Size, Content: h.Size, Offset: offset}
	if e.End = offset + source.at + h.Size + padding(h.Size); e.End > size {
		return e, io.EOF
	}
	return e, nil
}

// Open reads the part of a recovered entry that is there.
func (e RecoveredEntry) Open(r io.ReaderAt, c Compression) (io.ReadCloser, error) {
	if c == None {
		begin := e.Offset + int64(len(tarHeader(e.Name, e.Size)))
		return io.NopCloser(io.NewSectionReader(r, begin, e.Content)), nil
	}
	entry, err := openEntry(r, e.End, e.Name, e.Offset)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(entry, e.Content), entry}, nil
}

// Resume makes a Writer that goes on behind entries that were recovered. w goes
// on at the last one's End.
func Resume(w io.Writer, c Compression, entries []RecoveredEntry) (*Writer, error) {
	resumed := NewWriter(w, c)
	for _, e := range entries {
		if err := resumed.table.add(e.Name, e.Offset); err != nil {
			return nil, err
		}
		resumed.offset = e.End
	}
	return resumed, nil
}
