package bundle

import "io"

// walk goes from entry to entry by the lengths of the members. It inflates only the header
// of each entry.
func (a *Reader) walk() error {
	a.directory = newDirectory(0)
	room := rooms.Get().(*room)
	defer rooms.Put(room)
	var key []byte
	for offset := int64(0); ; {
		first, entry, err := peekEntry(a.r, a.size, offset, room)
		if err != nil {
			return err
		}
		if entry.end {
			return a.walkEnd(offset, room)
		}
		key = appendKey(key[:0], entry.name)
		if err := a.directory.add(key, offset, entry.size); err != nil {
			return err
		}
		if offset, err = a.walkEntry(first, entry, offset); err != nil {
			return err
		}
	}
}

// walkEntry skips the members of an entry and returns the offset of the next entry.
func (a *Reader) walkEntry(h memberHeader, entry entryHeader, offset int64) (int64, error) {
	for rest := entry.total(); ; {
		if err := checkShare(h.inflated, rest, offset); err != nil {
			return 0, err
		}
		offset += h.length
		if rest -= int64(h.inflated); rest == 0 {
			return offset, nil
		}
		var err error
		if h, err = memberAt(a.r, a.size, offset); err != nil {
			return 0, err
		}
	}
}

// walkEnd checks the end of the tar. The file must end there, too: one with a table is not
// walked.
func (a *Reader) walkEnd(offset int64, room *room) error {
	data, length, err := readMember(a.r, a.size, offset, room)
	if err != nil {
		return err
	}
	if err := checkEnd(data, offset); err != nil {
		return err
	}
	if offset += length; offset < a.size {
		return cutOff(offset, "the table is truncated or damaged")
	}
	return nil
}

// tarEnd is the number of zeros at the end of a tar.
const tarEnd = 2 * tarBlock

// checkEnd checks the member that ends the tar.
func checkEnd(data []byte, offset int64) error {
	if len(data) != tarEnd || string(data) != string(make([]byte, tarEnd)) {
		return damaged(offset, "the end of the tar is not that of a bundle")
	}
	return nil
}

// peekLength is the part of a member that is read for the header of an entry: more than
// twice the length of a header that does not compress at all.
const peekLength = 4 << 10

// peekEntry reads the header of the entry whose first member is at offset. It checks nothing
// beyond the header.
func peekEntry(r io.ReaderAt, size, offset int64, room *room) (memberHeader, entryHeader, error) {
	begin := room.member[:max(headerLength, min(size-offset, peekLength))]
	if err := readAt(r, begin, offset); err != nil {
		return memberHeader{}, entryHeader{}, err
	}
	h, err := parseInFile(begin, size, offset)
	if err != nil {
		return h, entryHeader{}, err
	}
	want := min(h.inflated, longHeader)
	data := inflateHead(room.data[:want], begin[:min(int64(len(begin)), h.length-trailerLength)], h)
	if len(data) < want { // more deflate data than a few bytes need: not by us
		if data, _, err = readMember(r, size, offset, room); err != nil {
			return h, entryHeader{}, err
		}
	}
	entry, err := parseEntry(data, offset)
	return h, entry, err
}
