package store

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// pieces is a layout of the blobs that are cut into pieces in several parts of a bundle. It
// has those whose pieces are all there.
type pieces struct {
	found map[digest.Digest]piecedBlob
}

// piecedBlob is a blob in pieces that follow each other without a gap.
type piecedBlob struct {
	size   int64
	pieces []foundPiece
}

// foundPiece is a piece in a part.
type foundPiece struct {
	bundle.Piece
	name string
	part onePart
}

func (p foundPiece) end() int64 { return p.Offset + p.Size }

// newPieces collects the pieces in the parts of one bundle. The faults name the parts whose
// pieces overlap.
func newPieces(parts []onePart) (*pieces, []error) {
	sizes := make(map[digest.Digest]int64)
	found := make(map[digest.Digest][]foundPiece)
	var faults []error
	for _, p := range parts {
		for _, b := range p.Cut {
			if size, ok := sizes[b.Digest]; ok && size != b.Size {
				faults = append(faults, &ContradictionError{Path: p.path, Other: parts[0].path,
					Reason: fmt.Sprintf("it says that %s has %d bytes, not %d", b.Digest, b.Size, size)})
				continue
			}
			sizes[b.Digest] = b.Size
		}
		for d, piece := range p.layout.pieces() {
			found[d] = append(found[d], foundPiece{piece, bundle.PieceName(d, piece.Offset), p})
		}
	}
	l := &pieces{make(map[digest.Digest]piecedBlob)}
	for _, d := range slices.Sorted(maps.Keys(sizes)) {
		chain, overlaps := chainOf(d, sizes[d], found[d])
		faults = append(faults, overlaps...)
		if chain != nil {
			l.found[d] = piecedBlob{sizes[d], chain}
		}
	}
	return l, faults
}

// pieces lists the pieces in a part.
func (p *archiveLayout) pieces() iter.Seq2[digest.Digest, bundle.Piece] {
	return func(yield func(digest.Digest, bundle.Piece) bool) {
		for name := range p.reader.Pieces() {
			d, offset, _ := bundle.ParsePieceName(name)
			size, err := p.reader.Stat(name)
			if err == nil && !yield(d, bundle.Piece{Offset: offset, Size: size}) {
				return
			}
		}
	}
}

// chainOf returns the pieces that make up a blob of a size; nil if some are missing. The same
// part may be there twice. Pieces that overlap otherwise are faults.
func chainOf(d digest.Digest, size int64, found []foundPiece) (chain []foundPiece, faults []error) {
	slices.SortStableFunc(found, func(a, b foundPiece) int { return cmp.Compare(a.Offset, b.Offset) })
	at := int64(0)
	for i, piece := range found {
		if i > 0 && piece.Offset < found[i-1].end() && piece.Piece != found[i-1].Piece {
			faults = append(faults, &ContradictionError{Path: piece.part.path, Other: found[i-1].part.path, Reason: fmt.Sprintf("their pieces of %s overlap", d)})
		}
		if piece.Offset == at && piece.Size > 0 {
			chain = append(chain, piece)
			at = piece.end()
		}
	}
	if at != size {
		return nil, faults
	}
	return chain, faults
}

func (l *pieces) Index() *oci.Index { return new(oci.Index) }
func (l *pieces) Close() error      { return nil }

func (l *pieces) find(d digest.Digest) (piecedBlob, error) {
	b, ok := l.found[d]
	if !ok {
		return b, &fs.PathError{Op: "open", Path: fmt.Sprintf("%.200s", d), Err: fs.ErrNotExist}
	}
	return b, nil
}

func (l *pieces) Stat(d digest.Digest) (int64, error) {
	b, err := l.find(d)
	return b.size, err
}

func (l *pieces) Open(d digest.Digest) (Blob, error) { return l.OpenPart(d, 0, -1) }

// OpenPart opens n bytes from off on; -1 means to the end.
func (l *pieces) OpenPart(d digest.Digest, off, n int64) (Blob, error) {
	b, err := l.find(d)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(b.pieces, func(p foundPiece) bool { return p.end() > off })
	if n < 0 {
		n = b.size - off
	}
	if at < 0 {
		at = len(b.pieces)
	}
	r := &pieceReader{size: b.size, rest: b.pieces[at:], left: n}
	if at < len(b.pieces) {
		r.skip = off - b.pieces[at].Offset
	}
	return r, nil
}

// pieceReader reads pieces one after the other.
type pieceReader struct {
	size  int64
	rest  []foundPiece // not opened
	skip  int64        // bytes of the first of them
	left  int64        // bytes to read
	piece Blob         // nil before the first, and between two
}

func (r *pieceReader) Size() int64 { return r.size }

func (r *pieceReader) Read(p []byte) (int, error) {
	for {
		if r.left <= 0 {
			return 0, io.EOF
		}
		if r.piece == nil {
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.piece.Read(p[:min(int64(len(p)), r.left)])
		if r.left -= int64(n); n > 0 || err != io.EOF {
			return n, err
		}
		if err := r.Close(); err != nil {
			return 0, err
		}
	}
}

// next opens the next piece.
func (r *pieceReader) next() (err error) {
	if len(r.rest) == 0 {
		return io.ErrUnexpectedEOF
	}
	p := r.rest[0]
	r.rest = r.rest[1:]
	if r.piece, err = p.open(); err == nil && r.skip > 0 {
		_, err = io.CopyN(io.Discard, r.piece, r.skip)
		r.skip = 0
	}
	return err
}

func (r *pieceReader) Close() error {
	if r.piece == nil {
		return nil
	}
	err := r.piece.Close()
	r.piece = nil
	return err
}

func (p foundPiece) open() (Blob, error) {
	entry, err := p.part.layout.reader.Open(p.name)
	if err != nil {
		return nil, inputError(p.part.path, err)
	}
	return namedBlob{entry, p.part.path}, nil
}

// blobs lists the blobs.
func (l *pieces) blobs() iter.Seq[digest.Digest] { return maps.Keys(l.found) }

// OpenRandom opens a blob for reading at random.
func (l *pieces) OpenRandom(d digest.Digest) (RandomBlob, error) {
	b, err := l.find(d)
	if err != nil {
		return nil, err
	}
	return randomPieces{b}, nil
}

// OpenWhole opens a blob that is read from its start.
func (l *pieces) OpenWhole(d digest.Digest) (RandomBlob, error) { return l.OpenRandom(d) }

// randomPieces is a blob in pieces, read at random.
type randomPieces struct{ blob piecedBlob }

func (r randomPieces) Size() int64  { return r.blob.size }
func (r randomPieces) Close() error { return nil }

// Stamp returns those of all parts that have a piece.
func (r randomPieces) Stamp() (Stamp, error) {
	var tags []string
	for _, p := range r.blob.pieces {
		s, err := stampOf(p.part.layout.file)
		if err != nil {
			return Stamp{}, err
		}
		tags = append(tags, fmt.Sprintf("%d %s", s.Time, s.Tag))
	}
	return Stamp{Tag: strings.Join(tags, ",")}, nil
}

func (r randomPieces) WriteRange(w io.Writer, from, n int64) error {
	for _, p := range r.blob.pieces {
		begin, end := max(from, p.Offset), min(from+n, p.end())
		if begin >= end {
			continue
		}
		entry, err := p.part.layout.reader.OpenRandom(p.name, 0)
		if err != nil {
			return inputError(p.part.path, err)
		}
		named := namedRandom{randomEntry{entry, p.part.layout.file}, p.part.path}
		if err := errors.Join(named.WriteRange(w, begin-p.Offset, end-begin), named.Close()); err != nil {
			return err
		}
	}
	return nil
}
