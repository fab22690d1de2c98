package bundle

import (
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
)

// Piece is a range of a blob that is an entry of its own.
type Piece struct{ Offset, Size int64 }

// PieceEncoder encodes a blob as one entry for each of its pieces, one after the other. It
// stores or compresses all of them as it does a whole blob. It is not safe for concurrent use.
type PieceEncoder struct {
	compression Compression
	blob        digest.Digest
	rest        []Piece // not begun
	emit        func(p []byte) error
	first       *Encoder
	entry       *Encoder // of the current piece
	left        int64    // bytes that it still lacks
	err         error    // the first one
}

// NewPieceEncoder begins the pieces of a blob, which follow each other without a gap. It calls
// emit as an Encoder does.
func NewPieceEncoder(c Compression, d digest.Digest, pieces []Piece, emit func(p []byte) error) *PieceEncoder {
	e := &PieceEncoder{compression: c, blob: d, rest: pieces, emit: emit}
	e.err = e.next()
	return e
}

// next begins the next piece.
func (e *PieceEncoder) next() error {
	if len(e.rest) == 0 {
		return fmt.Errorf("%s is longer than its pieces", e.blob)
	}
	p := e.rest[0]
	e.rest, e.left = e.rest[1:], p.Size
	e.entry = NewEncoder(e.compression, PieceName(e.blob, p.Offset), p.Size, e.emit)
	if e.entry.before = e.first; e.first == nil {
		e.first = e.entry
	}
	return nil
}

// Write encodes content. After an error all calls return it.
func (e *PieceEncoder) Write(p []byte) (written int, err error) {
	for e.err == nil && written < len(p) {
		if e.left == 0 {
			if e.err = e.entry.Close(); e.err == nil {
				e.err = e.next()
			}
			continue
		}
		var n int
		n, e.err = e.entry.Write(p[written:][:min(e.left, int64(len(p)-written))])
		written += n
		e.left -= int64(n)
	}
	return written, e.err
}

// Close ends the last piece. Less than the size of all of them is an error.
func (e *PieceEncoder) Close() error {
	if e.err == nil && len(e.rest) > 0 {
		e.err = fmt.Errorf("%s: the end of its pieces is missing: %w", e.blob, io.ErrUnexpectedEOF)
	}
	if e.entry == nil {
		return e.err
	}
	if err := e.entry.Close(); e.err == nil {
		e.err = err
	}
	err := e.err
	e.entry, e.err = nil, errClosed
	return err
}
