package bundle

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/flate"
)

const (
	// memberData bounds the data of a member. It is small enough for reads at random, and large
	// enough for headers to cost nothing.
	memberData = 1 << 20
	// maxMember bounds the length of a member in the file: data that does not compress is
	// stored, in blocks of 64 KiB with five bytes each.
	maxMember = memberData + 5<<10
	// minMember is the length of an empty member: header, two bytes of deflate, trailer.
	minMember = headerLength + len(emptyDeflate) + trailerLength

	headerLength  = 24     // of gzip, with the OM subfield as its extra field
	trailerLength = 8      // CRC-32 and length
	subfield      = 4      // two letters and a length (RFC 1952, section 2.3.1.1)
	storedBlock   = 0xffff // RFC 1951, section 3.2.4
	storedHeader  = 5
	maxTable      = 4 << 10 // of one member of the table: busybox refuses large ones

	emptyDeflate = "\x03\x00"
	emptyTrailer = "\x00\x00\x00\x00\x00\x00\x00\x00"
)

// fixedHeader begins every member: deflate, an extra field, no time, no flags, and operating
// system 255 instead of the current one.
var fixedHeader = [10]byte{0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff}

// appendHeader appends the header of a member with its length in the file and the length of
// its data. extra are further subfields.
func appendHeader(p []byte, inFile, inflated int, extra []byte) []byte {
	p = append(p, fixedHeader[:]...)
	p = binary.LittleEndian.AppendUint16(p, uint16(subfield+8+len(extra)))
	p = append(p, 'O', 'M', 8, 0)
	p = binary.LittleEndian.AppendUint32(p, uint32(inFile))
	p = binary.LittleEndian.AppendUint32(p, uint32(inflated))
	return append(p, extra...)
}

func appendTrailer(p []byte, crc uint32, inflated int) []byte {
	p = binary.LittleEndian.AppendUint32(p, crc)
	return binary.LittleEndian.AppendUint32(p, uint32(inflated))
}

// storedLength returns the length of a member with n stored bytes.
func storedLength(n int) int {
	blocks := max(1, (n+storedBlock-1)/storedBlock)
	return headerLength + blocks*storedHeader + n + trailerLength
}

// appendStored appends a member with stored data.
func appendStored(p, data []byte) []byte {
	p = appendHeader(p, storedLength(len(data)), len(data), nil)
	for rest := data; ; {
		n := min(len(rest), storedBlock)
		p = appendBlockHeader(p, n, n == len(rest))
		p = append(p, rest[:n]...)
		if rest = rest[n:]; len(rest) == 0 {
			break
		}
	}
	return appendTrailer(p, crc32.ChecksumIEEE(data), len(data))
}

func appendBlockHeader(p []byte, n int, final bool) []byte {
	var last byte
	if final {
		last = 1
	}
	p = append(p, last)
	p = binary.LittleEndian.AppendUint16(p, uint16(n))
	return binary.LittleEndian.AppendUint16(p, ^uint16(n))
}

// appendEmpty appends a member without data, with an extra subfield.
func appendEmpty(p, extra []byte) []byte {
	p = appendHeader(p, minMember+len(extra), 0, extra)
	return append(append(p, emptyDeflate...), emptyTrailer...)
}

// deflaters are costly to make: half a megabyte each.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// appendDeflated appends a member with data at level 1, or stored if that is not longer.
func appendDeflated(p, data []byte) []byte {
	out := bytes.NewBuffer(appendHeader(p, 0, len(data), nil))
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(out)
	_, err := w.Write(data)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	length := out.Len() - len(p) + trailerLength
	if length >= storedLength(len(data)) {
		return appendStored(p, data)
	}
	member := appendTrailer(out.Bytes(), crc32.ChecksumIEEE(data), len(data))
	binary.LittleEndian.PutUint32(member[len(p)+16:], uint32(length))
	return member
}

// memberHeader is the parsed header of a member.
type memberHeader struct {
	length   int64 // in the file
	inflated int
	extra    int // bytes of subfields after OM
}

// body returns the offset of the deflate data in the member.
func (h memberHeader) body() int { return headerLength + h.extra }

// isMember reports whether p begins like a member of this package.
func isMember(p []byte) bool {
	return len(p) >= headerLength && bytes.Equal(p[:10], fixedHeader[:]) &&
		p[12] == 'O' && p[13] == 'M' && p[14] == 8 && p[15] == 0
}

// BeginsMember reports whether the first bytes of a file, however few, can be those of a
// member.
func BeginsMember(p []byte) bool {
	mark := append(fixedHeader[:], 0, 0, 'O', 'M')
	if len(p) > len(mark) {
		p = p[:len(mark)]
	}
	if len(p) > 10 { // the length of the extra field may be any
		p = bytes.Clone(p)
		copy(p[10:], []byte{0, 0}[:min(2, len(p)-10)])
	}
	return bytes.HasPrefix(mark, p)
}

// parseMember parses the first headerLength bytes of a member. It trusts nothing: all that
// it returns is within the limits of the format.
func parseMember(p []byte, offset int64) (memberHeader, error) {
	if !isMember(p) {
		return memberHeader{}, damaged(offset, "not a member of a bundle")
	}
	h := memberHeader{
		length:   int64(binary.LittleEndian.Uint32(p[16:])),
		inflated: int(binary.LittleEndian.Uint32(p[20:])),
		extra:    int(binary.LittleEndian.Uint16(p[10:])) - subfield - 8,
	}
	switch {
	case h.extra < 0 || h.extra > maxTable:
		return h, damaged(offset, "a member has an extra field of %d bytes", h.extra+subfield+8)
	case h.length < int64(minMember+h.extra) || h.length > maxMember:
		return h, damaged(offset, "invalid member length %d", h.length)
	case h.inflated < 0 || h.inflated > memberData:
		return h, damaged(offset, "invalid inflated length %d of a member", uint32(h.inflated))
	}
	return h, nil
}
