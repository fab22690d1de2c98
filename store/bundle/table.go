package bundle

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// The table is a sequence of empty members, each with a subfield OT. The payload of all
// but the last is a sequence of records, none of them split over two members:
//
//	kind (1 byte), offset of the entry's first member (8), digest (as the kind has it)
//
// The last has 16 bytes, a length that no sequence of records has: the offset of the
// table (8), the number of its records (4), and the CRC-32 of the records and of those
// 12 bytes, which no gzip trailer covers. Numbers are little-endian.
const (
	offsetLength = 8
	lastPayload  = 16
	lastLength   = minMember + subfield + lastPayload
	maxPayload   = maxTable - minMember - subfield
)

// tally is the summary of the records in the last member of a table.
type tally struct {
	count int
	crc   uint32
}

func (t *tally) add(record []byte) {
	t.count++
	t.crc = updateCRC(t.crc, record)
}

// last returns the payload of the last member of a table that begins at offset.
func (t tally) last(offset int64) []byte {
	p := binary.LittleEndian.AppendUint64(make([]byte, 0, lastPayload), uint64(offset))
	p = binary.LittleEndian.AppendUint32(p, uint32(t.count))
	return binary.LittleEndian.AppendUint32(p, updateCRC(t.crc, p))
}

// appendRecord appends the record of an entry.
func appendRecord(p []byte, name string, offset int64) []byte {
	begin := len(p)
	p = appendKey(p, name)
	p = append(p, make([]byte, offsetLength)...)
	record := p[begin:]
	copy(record[1+offsetLength:], record[1:])
	binary.LittleEndian.PutUint64(record[1:], uint64(offset))
	return p
}

// table holds the records of a bundle that is being written.
type table struct {
	tally
	head    *table // of the entries that other archives have, too; may be nil
	records []byte
	ends    []int // of the records of one member, counted from the beginning of the head
}

func (t *table) add(name string, offset int64) {
	before := len(t.records)
	t.records = appendRecord(t.records, name, offset)
	t.tally.add(t.records[before:])
	if t.size()-t.lastEnd() > maxPayload {
		t.ends = append(t.ends, t.headSize()+before)
	}
}

// headSize returns the number of bytes of the records in the head.
func (t *table) headSize() int {
	if t.head == nil {
		return 0
	}
	return t.head.size()
}

// size returns the number of bytes of all records.
func (t *table) size() int { return t.headSize() + len(t.records) }

// lastEnd returns where the records of the last member begin.
func (t *table) lastEnd() int {
	switch {
	case len(t.ends) > 0:
		return t.ends[len(t.ends)-1]
	case t.head != nil:
		return t.head.lastEnd()
	}
	return 0
}

// drop removes the last record, which has this name, and returns its offset.
func (t *table) drop(name string) (offset int64, err error) {
	record := appendRecord(nil, name, 0)
	at := len(t.records) - len(record)
	if at < 0 || t.records[at] != record[0] || string(t.records[at+1+offsetLength:]) != string(record[1+offsetLength:]) {
		return 0, fmt.Errorf("%s is not the last entry", name)
	}
	offset = int64(binary.LittleEndian.Uint64(t.records[at+1:]))
	t.records = t.records[:at]
	if last := len(t.ends) - 1; last >= 0 && t.ends[last] == t.size() {
		t.ends = t.ends[:last]
	}
	t.count--
	t.crc = 0
	if t.head != nil {
		t.crc = t.head.crc
	}
	t.crc = updateCRC(t.crc, t.records)
	return offset, nil
}

func (t *table) write(w io.Writer, offset int64) error {
	begin := 0
	for _, end := range append(t.allEnds(), t.size()) {
		if end == begin {
			continue // no entry at all
		}
		if _, err := w.Write(appendEmpty(nil, appendOT(t.appendRecords(nil, begin, end)))); err != nil {
			return err
		}
		begin = end
	}
	_, err := w.Write(appendEmpty(nil, appendOT(t.last(offset))))
	return err
}

// allEnds returns the ends of the records of all members but the last.
func (t *table) allEnds() []int {
	if t.head == nil {
		return slices.Clone(t.ends)
	}
	return append(t.head.allEnds(), t.ends...)
}

// appendRecords appends the records between two offsets.
func (t *table) appendRecords(p []byte, begin, end int) []byte {
	base := t.headSize()
	if begin < base {
		p = t.head.appendRecords(p, begin, min(end, base))
	}
	if end > base {
		p = append(p, t.records[max(0, begin-base):end-base]...)
	}
	return p
}

func appendOT(payload []byte) []byte {
	p := binary.LittleEndian.AppendUint16([]byte{'O', 'T'}, uint16(len(payload)))
	return append(p, payload...)
}

// tableMember returns the payload of a whole member of the table.
func tableMember(member []byte, h memberHeader, offset int64) ([]byte, error) {
	if h.length != int64(len(member)) || h.length > maxTable || h.inflated != 0 || h.extra <= subfield {
		return nil, damaged(offset, "not a member of a table")
	}
	extra := member[headerLength:h.body()]
	if extra[0] != 'O' || extra[1] != 'T' || int(binary.LittleEndian.Uint16(extra[2:])) != h.extra-subfield {
		return nil, damaged(offset, "not a member of a table")
	}
	if string(member[h.body():]) != emptyDeflate+emptyTrailer {
		return nil, damaged(offset, "a member of the table is not empty")
	}
	return extra[subfield:], nil
}

// record is one entry of a table.
type record struct {
	key    []byte
	offset int64
}

// eachRecord parses the records of one member. It builds their keys in place.
func eachRecord(payload []byte, offset int64, each func(record) error) error {
	for len(payload) > 0 {
		n, ok := keyLength(payload)
		if !ok || len(payload) < n+offsetLength {
			return damaged(offset, "invalid record in the table")
		}
		at := binary.LittleEndian.Uint64(payload[1:])
		if at > maxSize {
			return damaged(offset, "a record of the table points to byte %d", at)
		}
		payload[offsetLength] = payload[0] // the kind, next to the digest
		if err := each(record{payload[offsetLength : offsetLength+n], int64(at)}); err != nil {
			return err
		}
		payload = payload[n+offsetLength:]
	}
	return nil
}
