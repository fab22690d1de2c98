package store

import (
	"encoding/binary"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// edge finds the end of an entry in the bytes of its encoding, which the entry of the next
// piece of a blob follows.
type edge struct {
	compression bundle.Compression
	left        int64 // bytes of the tar that the members to come have
	member      int64 // bytes of the file that the current member still lacks
	header      []byte
}

// memberHead is the length of the start of a member that has its two lengths.
const memberHead = 24

func newEdge(c bundle.Compression, name string, size int64) edge {
	return edge{compression: c, left: bundle.TarSize(name, size)}
}

// reached reports whether the entry is complete.
func (e *edge) reached() bool { return e.left <= 0 && e.member == 0 && len(e.header) == 0 }

// take returns how many of the next bytes belong to the entry, at least one.
func (e *edge) take(p []byte) (n int) {
	if e.compression == bundle.None {
		n = int(min(e.left, int64(len(p))))
		e.left -= int64(n)
		return n
	}
	for n < len(p) && !e.reached() {
		if e.member > 0 {
			share := min(e.member, int64(len(p)-n))
			e.member -= share
			n += int(share)
			continue
		}
		share := min(memberHead-len(e.header), len(p)-n)
		e.header = append(e.header, p[n:n+share]...)
		if n += share; len(e.header) == memberHead {
			e.member = int64(binary.LittleEndian.Uint32(e.header[16:])) - memberHead
			e.left -= int64(binary.LittleEndian.Uint32(e.header[20:]))
			e.header = e.header[:0]
		}
	}
	return n
}
