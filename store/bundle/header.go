package bundle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
)

const (
	tarBlock = 512
	// maxOctal is the largest size that the eleven octal digits of USTAR hold.
	maxOctal = 1<<33 - 1
	// maxSize keeps sums of sizes far from overflow.
	maxSize = 1 << 60
	// shortName is the longest name that a header holds; GNU puts a longer one
	// in an entry of its own, before the header.
	shortName = 100
	maxName   = tarBlock - 1
	// longHeader is the length of all that: a header, the name, the header.
	longHeader = 3 * tarBlock
)

// tarHeader appends the header of a regular file with mode 0644 and otherwise
// without owner, names or time. It is USTAR, which every tar reads; GNU for what
// USTAR cannot hold. (oras-go misreads PAX.) These bytes are part of the format.
func tarHeader(p []byte, name string, size int64) []byte {
	if len(name) > shortName {
		p = appendTarBlock(p, "././@LongLink", 'L', int64(len(name)+1), true)
		p = append(p, name...)
		p = append(p, make([]byte, 1+padding(int64(len(name)+1)))...)
	}
	return appendTarBlock(p, name, '0', size, len(name) > shortName || size > maxOctal)
}

// TarHead returns the first bytes of a plain archive of this package whose file oci-layout
// has the content layout.
func TarHead(layout string) []byte {
	return append(tarHeader(nil, LayoutFile, int64(len(layout))), layout...)
}

func appendTarBlock(p []byte, name string, kind byte, size int64, gnu bool) []byte {
	begin := len(p)
	p = append(p, make([]byte, tarBlock)...)
	h := p[begin:]
	copy(h[:shortName], name)
	copy(h[100:], "0000644\x000000000\x000000000\x00") // mode, user, group
	if size > maxOctal {
		h[124] = 0x80 // GNU: binary, big-endian
		binary.BigEndian.PutUint64(h[128:], uint64(size))
	} else {
		copy(h[124:], octal(size, 11))
	}
	copy(h[136:], "00000000000\x00") // time
	h[156] = kind
	if gnu {
		copy(h[257:], "ustar  \x00")
	} else {
		copy(h[257:], "ustar\x0000")
	}
	if kind == 'L' {
		copy(h[100:], "0000000")
	} else {
		copy(h[329:], "0000000\x000000000\x00") // device
	}
	copy(h[148:], "        ")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], octal(int64(sum), 6)+"\x00")
	return p
}

func octal(n int64, digits int) string { return fmt.Sprintf("%0*o", digits, n) }

// padding returns the number of bytes from size to the end of a tar block.
func padding(size int64) int64 { return -size & (tarBlock - 1) }

// entryHeader is the parsed header of an entry.
type entryHeader struct {
	name   string
	length int64 // of the header
	size   int64 // of the content
	end    bool  // it is no entry, but the end of the tar
}

// total returns the length of the whole entry in the tar.
func (h entryHeader) total() int64 { return h.length + h.size + padding(h.size) }

// parseEntry parses the header at the start of an entry of a bundle. It accepts only the
// bytes that tarHeader writes, for a name that may be in a bundle.
func parseEntry(data []byte, offset int64) (entryHeader, error) {
	if len(data) < tarBlock {
		return entryHeader{}, damaged(offset, "an entry of %d bytes", len(data))
	}
	if data[0] == 0 {
		return entryHeader{end: true}, nil
	}
	block, name := data[:tarBlock], cString(data[:shortName])
	if block[156] == 'L' && len(data) >= longHeader {
		name = cString(data[tarBlock : tarBlock+maxName])
		block = data[longHeader-tarBlock : longHeader]
	}
	h := entryHeader{name: name, size: tarSize(block[124:136])}
	if !inBundle(name) || h.size < 0 || h.size > maxSize {
		return entryHeader{}, damaged(offset, "invalid bundle entry %.100q", name)
	}
	var scratch [longHeader]byte
	header := tarHeader(scratch[:0], name, h.size)
	if !bytes.HasPrefix(data, header) {
		return entryHeader{}, damaged(offset, "the tar header of %s is not that of a bundle", name)
	}
	h.length = int64(len(header))
	return h, nil
}

// tarSize parses a size. It returns a negative number if the field is invalid.
func tarSize(field []byte) int64 {
	if field[0] == 0x80 {
		return int64(binary.BigEndian.Uint64(field[4:]))
	}
	n, err := strconv.ParseInt(cString(field), 8, 64)
	if err != nil {
		return -1
	}
	return n
}

func cString(p []byte) string {
	if i := bytes.IndexByte(p, 0); i >= 0 {
		p = p[:i]
	}
	return string(p)
}
