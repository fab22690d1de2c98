package bundle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// room has the buffers for a member and its data.
type room struct{ member, data []byte }

var rooms = sync.Pool{New: func() any { return &room{make([]byte, maxMember), make([]byte, 0, memberData)} }}

var inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

// inflate returns the data of a whole member: in dst or, if it is stored in one block, in
// the member itself. It verifies the CRC, the lengths and the end.
func inflate(dst, member []byte, h memberHeader, offset int64) ([]byte, error) {
	data, err := inflateBody(dst[:0], member[h.body():len(member)-trailerLength], h.inflated)
	if err != nil {
		return nil, damaged(offset, "%v", err)
	}
	trailer := member[len(member)-trailerLength:]
	if binary.LittleEndian.Uint32(trailer) != crc32.ChecksumIEEE(data) {
		return nil, damaged(offset, "wrong checksum")
	}
	if binary.LittleEndian.Uint32(trailer[4:]) != uint32(h.inflated) {
		return nil, damaged(offset, "the lengths in the header and the trailer of a member differ")
	}
	return data, nil
}

// inflateBody inflates deflate data that must end where body ends and must have exactly n
// bytes.
func inflateBody(dst, body []byte, n int) ([]byte, error) {
	if data, ok := unstore(dst, body, n); ok {
		return data, nil
	}
	source := bytes.NewReader(body)
	r := inflaters.Get().(io.Reader)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(source, nil); err != nil {
		return nil, err
	}
	if cap(dst) < n {
		dst = make([]byte, n)
	}
	dst = dst[:n]
	if _, err := io.ReadFull(r, dst); err != nil {
		return nil, errors.New("a member inflates to less than its header says")
	}
	var more [1]byte
	switch k, err := r.Read(more[:]); {
	case k > 0:
		return nil, errors.New("a member inflates to more than its header says")
	case err != io.EOF:
		return nil, errors.New("a member is not valid deflate data")
	case source.Len() > 0:
		return nil, errors.New("a member ends before its trailer")
	}
	return dst, nil
}

// unstore reads deflate data that has only stored blocks, which is most of a bundle. It does
// not copy a single block.
func unstore(dst, body []byte, n int) ([]byte, bool) {
	for first := true; ; first = false {
		if len(body) < storedHeader || body[0] > 1 {
			return nil, false
		}
		final := body[0] == 1
		size := int(binary.LittleEndian.Uint16(body[1:]))
		if uint16(size) != ^binary.LittleEndian.Uint16(body[3:]) || len(body) < storedHeader+size {
			return nil, false
		}
		block := body[storedHeader : storedHeader+size]
		body = body[storedHeader+size:]
		if first && final {
			return block, len(block) == n && len(body) == 0
		}
		if len(dst)+size > n {
			return nil, false
		}
		dst = append(dst, block...)
		if final {
			return dst, len(dst) == n && len(body) == 0
		}
	}
}

// inflateHead returns the first bytes of a member's data, from the first bytes of the
// member: as many as dst is long, or fewer if the member's bytes do not suffice. It verifies
// nothing.
func inflateHead(dst, begin []byte, h memberHeader) []byte {
	body := begin[min(h.body(), len(begin)):]
	if n := len(dst); len(body) >= storedHeader+n && body[0] <= 1 && int(binary.LittleEndian.Uint16(body[1:])) >= n {
		return body[storedHeader:][:n]
	}
	r := inflaters.Get().(io.Reader)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(body), nil); err != nil {
		return nil
	}
	n, _ := io.ReadFull(r, dst) // what there is decides
	return dst[:n]
}

func updateCRC(crc uint32, p []byte) uint32 { return crc32.Update(crc, crc32.IEEETable, p) }
