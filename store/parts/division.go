// Package parts divides a bundle into parts, by sizes alone: the names of the parts, the part.json
// that tells them from other bundles, and which blob is in which part.
package parts

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"iter"
	"math/bits"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// SizeError reports that a backup cannot be divided into parts of a size.
type SizeError struct {
	Size  int64 // of a part, in bytes
	Head  int64 // bytes of manifests and index.json, which each part has
	Least int64 // size that is enough for them; 0 if there would be too many parts
}

func (e *SizeError) Error() string {
	if e.Least == 0 {
		return fmt.Sprintf("parts of %d bytes are too small: there would be more than %d", e.Size, Max)
	}
	return fmt.Sprintf("parts of %d bytes are too small: the manifests and index.json, which each part has, take %d", e.Size, e.Head)
}

// leastShare is the room for blobs that a part must have, in bytes.
const leastShare = 4 << 10

// leastPiece is the size in bytes below which no piece of a blob begins at the end of a part.
const leastPiece = 64 << 10

// Division assigns the blobs of a bundle to its parts, in their order. It depends on nothing
// but their sizes, the manifests and the size of a part: the same plan gives the same parts. A
// blob goes whole into a part unless it is larger than any.
type Division struct {
	Parts int // how many there are

	size   int64        // bytes of a part at most
	empty  bundle.Bound // of a part without blobs
	part   bundle.Bound // of the part that is filled
	filled int64        // bytes of the parts before that at most
	set    hash.Hash

	blobs []uint64                  // their numbers, in order
	first []int                     // by part: the number of the first blob that begins in it or later
	cut   map[CutBlob][]PlacedPiece // blobs that are larger than a part
	cuts  [][]CutBlob               // by part
	next  int                       // no blob before it comes any more
}

// PlacedPiece is a blob, or a piece of one, and the part that it is in, counted from 0.
type PlacedPiece struct {
	bundle.Piece
	Part int
}

// Divide assigns blobs to parts of at most size bytes. head is what all parts begin with; its last
// entry is index.json, of indexSize bytes and with the digest index. If the blobs do not fit, the
// error is a *SizeError.
func Divide(head *bundle.Head, index digest.Digest, indexSize, size int64, blobs iter.Seq[ocispec.Descriptor]) (*Division, error) {
	d := &Division{size: size, empty: head.Bound(), set: digest.Canonical.Hash(), cut: make(map[CutBlob][]PlacedPiece)}
	d.empty.Add(bundle.PartFile, maxFile)
	d.empty.Add(bundle.IndexFile, lastIndexSize(indexSize))
	if least := d.empty.Total() + leastShare; least > size {
		return nil, &SizeError{Size: size, Head: head.Size(), Least: least}
	}
	fmt.Fprintf(d.set, "%s %d\n", index, size)
	d.open()
	for desc := range blobs {
		if err := desc.Digest.Validate(); err != nil {
			return nil, fmt.Errorf("%.200q: %w", desc.Digest, err)
		}
		d.blobs = append(d.blobs, blobNumber(desc))
		d.add(desc)
		if d.Parts > Max {
			return nil, &SizeError{Size: size, Head: head.Size()}
		}
	}
	return d, nil
}

// lastIndexSize returns the size of a second index.json at most, from the size of the first.
// The second lacks entries of the first, each longer than twice its name. It adds their names once,
// and that some entries are incomplete.
func lastIndexSize(first int64) int64 { return first + first/2 + 4<<10 }

// open begins the next part.
func (d *Division) open() {
	if d.Parts > 0 {
		d.filled += d.part.Total()
	}
	d.part = d.empty
	d.Parts++
	d.first = append(d.first, len(d.blobs))
	d.cuts = append(d.cuts, nil)
}

// add assigns the last of d.blobs.
func (d *Division) add(desc ocispec.Descriptor) {
	name := bundle.BlobName(desc.Digest)
	fits := func(part bundle.Bound) bool { part.Add(name, desc.Size); return part.Total() <= d.size }
	switch {
	case fits(d.part):
	case fits(d.empty):
		d.open()
		d.first[d.Parts-1]-- // this blob
	default:
		d.cutUp(desc)
		return
	}
	d.part.Add(name, desc.Size)
	fmt.Fprintf(d.set, "%d %s %d\n", d.Parts, desc.Digest, desc.Size)
}

// cutUp fills the current part with the beginning of a blob, and as many others as it takes
// with the rest.
func (d *Division) cutUp(desc ocispec.Descriptor) {
	key := CutBlob{desc.Digest, desc.Size}
	for at := int64(0); at < desc.Size && d.Parts <= Max; {
		name := bundle.PieceName(desc.Digest, at)
		n := min(desc.Size-at, d.part.Fit(name, d.size))
		if n < min(leastPiece, d.empty.Fit(name, d.size), desc.Size-at) {
			d.open()
			if at == 0 {
				d.first[d.Parts-1]--
			}
			continue
		}
		d.part.Add(name, n)
		d.cut[key] = append(d.cut[key], PlacedPiece{bundle.Piece{Offset: at, Size: n}, d.Parts - 1})
		d.cuts[d.Parts-1] = append(d.cuts[d.Parts-1], CutBlob{desc.Digest, desc.Size})
		fmt.Fprintf(d.set, "%d %s %d %d %d\n", d.Parts, desc.Digest, desc.Size, at, n)
		at += n
	}
}

// File returns the part.json of a part, counted from 0.
func (d *Division) File(part int) File {
	set := digest.NewDigest(digest.Canonical, d.set)
	return File{MediaType: MediaType, Set: set, Part: part + 1, Parts: d.Parts, Cut: d.cuts[part]}
}

// Needed returns the bytes that all parts take at most.
func (d *Division) Needed() int64 { return d.filled + d.part.Total() }

// Place returns where a blob belongs: in one part, or in pieces in several. Blobs come in
// their order, but some not at all.
func (d *Division) Place(desc ocispec.Descriptor) ([]PlacedPiece, error) {
	number := blobNumber(desc)
	for d.next < len(d.blobs) && d.blobs[d.next] != number {
		d.next++
	}
	if d.next == len(d.blobs) {
		return nil, fmt.Errorf("%s: the blob was not announced", desc.Digest)
	}
	if pieces := d.cut[CutBlob{desc.Digest, desc.Size}]; pieces != nil {
		return pieces, nil
	}
	after, _ := slices.BinarySearch(d.first, d.next+1)
	return []PlacedPiece{{bundle.Piece{Size: desc.Size}, after - 1}}, nil
}

// Pieces returns the pieces of a blob that is larger than a part; nil for another one. It may be
// called concurrently.
func (d *Division) Pieces(desc ocispec.Descriptor) (pieces []bundle.Piece) {
	for _, p := range d.cut[CutBlob{desc.Digest, desc.Size}] {
		pieces = append(pieces, p.Piece)
	}
	return pieces
}

// blobNumber returns a number by which a blob is found again in order.
func blobNumber(desc ocispec.Descriptor) uint64 {
	var b [8]byte
	_, _ = hex.Decode(b[:], []byte(desc.Digest.Encoded()[:16])) // of a valid digest: cannot fail
	return binary.BigEndian.Uint64(b[:]) ^ bits.Reverse64(uint64(desc.Size))
}
