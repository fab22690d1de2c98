package bundle

import (
	"encoding/binary"
	"encoding/hex"
	"io"

	"github.com/opencontainers/go-digest"
)

// The table is a run of empty members, each with a subfield OT. The payload of
// all but the last is records one behind the other, never one in two members:
//
//	kind (1 byte), offset of the entry's first member (8), digest (0, 32 or 64)
//
// The last has 16 bytes: where the table begins and how many records it has.
// Numbers are little-endian.
const (
	kindLayout = iota
	kindIndex
	kindSHA256
	kindSHA512
)

var digestLength = [...]int{kindLayout: 0, kindIndex: 0, kindSHA256: 32, kindSHA512: 64}

const (
	recordLength = 1 + 8 // and the digest
	lastLength   = minMember + subfield + 16
	maxPayload   = maxTable - minMember - subfield
)

// table is the records of a bundle that is being written.
type table struct {
	records []byte
	ends    []int // of the records of one member
	count   int
}

func (t *table) add(name string, offset int64) error {
	kind, encoded := byte(kindLayout), ""
	switch d, isBlob := blobDigest(name); {
	case name == IndexFile:
		kind = kindIndex
	case isBlob && d.Algorithm() == digest.SHA256:
		kind, encoded = kindSHA256, d.Encoded()
	case isBlob && d.Algorithm() == digest.SHA512:
		kind, encoded = kindSHA512, d.Encoded()
	case name != LayoutFile:
		return damaged(offset, "an entry named %q has no place in a bundle", name)
	}
	begin := 0
	if len(t.ends) > 0 {
		begin = t.ends[len(t.ends)-1]
	}
	if before := len(t.records); before-begin+recordLength+len(encoded)/2 > maxPayload {
		t.ends = append(t.ends, before)
	}
	t.records = append(t.records, kind)
	t.records = binary.LittleEndian.AppendUint64(t.records, uint64(offset))
	t.records, _ = hex.AppendDecode(t.records, []byte(encoded)) // a valid digest is hexadecimal
	t.count++
	return nil
}

func (t *table) write(w io.Writer, offset int64) error {
	begin := 0
	for _, end := range append(t.ends, len(t.records)) {
		if end == begin {
			continue
		}
		if _, err := w.Write(appendEmpty(nil, appendOT(t.records[begin:end]))); err != nil {
			return err
		}
		begin = end
	}
	last := binary.LittleEndian.AppendUint64(nil, uint64(offset))
	last = binary.LittleEndian.AppendUint64(last, uint64(t.count))
	_, err := w.Write(appendEmpty(nil, appendOT(last)))
	return err
}

func appendOT(payload []byte) []byte {
	p := binary.LittleEndian.AppendUint16([]byte{'O', 'T'}, uint16(len(payload)))
	return append(p, payload...)
}

// record is one line of a table that is read.
type record struct {
	name   string
	offset int64
}

// readTable finds the table at the end of a file by the last member, and reads
// it: two reads. ok is false where there is none.
func readTable(r io.ReaderAt, size int64) (records []record, tarEnd int64, ok bool, err error) {
	if size < int64(lastLength) {
		return nil, 0, false, nil
	}
	last := make([]byte, lastLength)
	if err := readAt(r, last, size-int64(lastLength)); err != nil {
		return nil, 0, false, err
	}
	payload, err := tableMember(last, size-int64(lastLength))
	if err != nil || len(payload) != 16 {
		return nil, 0, false, nil
	}
	begin, count := binary.LittleEndian.Uint64(payload), binary.LittleEndian.Uint64(payload[8:])
	if begin > uint64(size)-uint64(lastLength) || count > uint64(maxEntries) {
		return nil, 0, false, damaged(size-int64(lastLength), "the table says that it begins at %d and has %d records", begin, count)
	}
	p := make([]byte, uint64(size)-uint64(lastLength)-begin)
	if uint64(len(p)) > count*(recordLength+64)*2+maxTable {
		return nil, 0, false, damaged(int64(begin), "the table is too long for its %d records", count)
	}
	if err := readAt(r, p, int64(begin)); err != nil {
		return nil, 0, false, err
	}
	records, err = parseTable(p, int64(begin), int(count))
	return records, int64(begin), err == nil, err
}

func parseTable(p []byte, offset int64, count int) ([]record, error) {
	records := make([]record, 0, count)
	begin := offset
	for len(p) > 0 {
		h, err := parseHeader(p, offset)
		if err != nil {
			return nil, err
		}
		if h.length > int64(len(p)) {
			return nil, damaged(offset, "the table is cut off")
		}
		payload, err := tableMember(p[:h.length], offset)
		if err != nil {
			return nil, err
		}
		if records, err = appendRecords(records, payload, begin, offset); err != nil {
			return nil, err
		}
		p, offset = p[h.length:], offset+h.length
	}
	if len(records) != count {
		return nil, damaged(offset, "the table has %d records and says %d", len(records), count)
	}
	return records, nil
}

// tableMember returns the payload of a whole member of the table.
func tableMember(member []byte, offset int64) ([]byte, error) {
	h, err := parseHeader(member, offset)
	if err != nil {
		return nil, err
	}
	if h.length != int64(len(member)) || h.inflated != 0 || h.extra < subfield {
		return nil, damaged(offset, "no member of a table")
	}
	extra := member[headerLength : headerLength+h.extra]
	if extra[0] != 'O' || extra[1] != 'T' || int(binary.LittleEndian.Uint16(extra[2:])) != h.extra-subfield {
		return nil, damaged(offset, "no member of a table")
	}
	if _, err := inflate(nil, member, h, offset); err != nil {
		return nil, err
	}
	return extra[subfield:], nil
}

func appendRecords(records []record, p []byte, end, offset int64) ([]record, error) {
	for len(p) > 0 {
		if len(p) < recordLength || int(p[0]) >= len(digestLength) || len(p) < recordLength+digestLength[p[0]] {
			return nil, damaged(offset, "a record of the table cannot be read")
		}
		kind, at := p[0], binary.LittleEndian.Uint64(p[1:])
		encoded := hex.EncodeToString(p[recordLength : recordLength+digestLength[kind]])
		p = p[recordLength+digestLength[kind]:]
		if at >= uint64(end) {
			return nil, damaged(offset, "a record of the table points to %d", at)
		}
		records = append(records, record{recordName(kind, encoded), int64(at)})
	}
	return records, nil
}

func recordName(kind byte, encoded string) string {
	switch kind {
	case kindLayout:
		return LayoutFile
	case kindIndex:
		return IndexFile
	case kindSHA256:
		return BlobName(digest.NewDigestFromEncoded(digest.SHA256, encoded))
	}
	return BlobName(digest.NewDigestFromEncoded(digest.SHA512, encoded))
}

func readAt(r io.ReaderAt, p []byte, offset int64) error {
	n, err := r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if err == io.EOF || err == nil {
		return damaged(offset+int64(n), "the file ends here")
	}
	return err
}
