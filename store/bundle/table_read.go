package bundle

import (
	"bufio"
	"encoding/binary"
	"io"
)

// tableReader reads the table at the end of a file.
type tableReader struct {
	r      *bufio.Reader
	source Sequence
	begin  int64 // of the table
	at     int64 // of the next member
	end    int64 // of the records: the last member begins here
	last   []byte
	want   int   // records
	before int64 // the offset that the record before points to; -1 at first
	seen   tally
}

// openTable finds the table by the last member of a file. It returns nil if there is none.
func openTable(r io.ReaderAt, size int64) (*tableReader, error) {
	end := size - int64(lastLength)
	if end < 0 {
		return nil, nil
	}
	member := make([]byte, lastLength)
	if err := readAt(r, member, end); err != nil {
		return nil, err
	}
	h, err := parseMember(member, end)
	if err != nil {
		return nil, nil
	}
	last, err := tableMember(member, h, end)
	if err != nil || len(last) != lastPayload {
		return nil, nil
	}
	begin, count := binary.LittleEndian.Uint64(last), binary.LittleEndian.Uint32(last[8:])
	if begin > uint64(end) || int64(count) > int64(maxEntries) {
		return nil, damaged(end, "invalid table: it begins at byte %d and has %d records", begin, count)
	}
	t := &tableReader{begin: int64(begin), at: int64(begin), end: end, last: last, want: int(count), before: -1}
	length := end - t.begin
	t.source = sequenceOf(r, t.begin, end)
	t.r = bufio.NewReaderSize(io.NewSectionReader(t.source, t.begin, length), int(max(headerLength, min(length, 1<<20))))
	return t, nil
}

// close ends the reading.
func (t *tableReader) close() { _ = t.source.Close() } // what was read is checked

// each calls each for every record, and compares the records with the last member.
func (t *tableReader) each(each func(record) error) error {
	buffer := make([]byte, maxTable)
	for t.at < t.end {
		payload, err := t.next(buffer)
		if err != nil {
			return err
		}
		if err := t.records(payload, each); err != nil {
			return err
		}
	}
	if t.seen.count != t.want || string(t.seen.last(t.begin)) != string(t.last) {
		return damaged(t.end, "the checksum of the table is wrong")
	}
	return nil
}

// next returns the records of the next member.
func (t *tableReader) next(buffer []byte) ([]byte, error) {
	head, err := t.r.Peek(headerLength)
	if err != nil {
		return nil, cutOr(err, t.at)
	}
	h, err := parseMember(head, t.at)
	if err != nil {
		return nil, err
	}
	if h.length > maxTable || h.length > t.end-t.at {
		return nil, damaged(t.at, "not a member of a table")
	}
	member := buffer[:h.length]
	if _, err := io.ReadFull(t.r, member); err != nil {
		return nil, cutOr(err, t.at)
	}
	payload, err := tableMember(member, h, t.at)
	if err != nil {
		return nil, err
	}
	t.seen.crc = updateCRC(t.seen.crc, payload)
	t.at += h.length
	return payload, nil
}

// records passes on the records of one member, and checks that they are in file order.
func (t *tableReader) records(payload []byte, each func(record) error) error {
	return eachRecord(payload, t.at, func(r record) error {
		if r.offset <= t.before || r.offset >= t.begin || t.before < 0 && r.offset > 0 {
			return damaged(t.at, "a record of the table points to byte %d", r.offset)
		}
		t.before = r.offset
		if t.seen.count++; t.seen.count > t.want {
			return damaged(t.at, "the table has more than %d records", t.want)
		}
		return each(r)
	})
}

// cutOr turns an early end of the file into a FormatError.
func cutOr(err error, offset int64) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return cutOff(offset, "the file ends here")
	}
	return err
}

func readAt(r io.ReaderAt, p []byte, offset int64) error {
	n, err := r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return cutOr(err, offset+int64(n))
}
