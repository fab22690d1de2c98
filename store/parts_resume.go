package store

import (
	"errors"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// Stored reports whether an interrupted run left a blob whole in the parts. Call it for the
// blobs in their order, before the first Begin, until it returns false.
func (p *Parts) Stored(desc ocispec.Descriptor) (bool, error) {
	b, err := p.place(desc)
	if err != nil {
		return false, err
	}
	if !b.cut {
		part, err := p.part(b.pieces[0].Part)
		if err != nil {
			return false, err
		}
		stored, err := part.Stored(desc)
		return stored, p.inPart(part, err)
	}
	whole, err := p.wholePieces(b)
	if err != nil || len(whole) < len(b.pieces) {
		return false, err
	}
	hash := desc.Digest.Algorithm().Hash()
	content := &joined{parts: whole}
	if _, err = io.Copy(hash, content); errors.Join(err, content.Close()) != nil {
		return false, err
	}
	if digest.NewDigest(desc.Digest.Algorithm(), hash) != desc.Digest {
		return false, nil
	}
	p.pass(whole)
	return true, nil
}

// wholePieces returns the first pieces of a blob, as far as an interrupted run left them whole.
func (p *Parts) wholePieces(b *partBlob) (whole []recoveredPiece, err error) {
	for i, piece := range b.pieces {
		part, err := p.part(piece.Part)
		if err != nil {
			return nil, err
		}
		e := part.replay.peek(b.name(i), piece.Size)
		if e == nil {
			break
		}
		whole = append(whole, recoveredPiece{part, part.replay.file, e})
	}
	return whole, nil
}

// recoveredPiece is a piece that an interrupted run left, or the beginning of one.
type recoveredPiece struct {
	part  *Archive
	file  io.ReaderAt
	entry *bundle.RecoveredEntry
}

func (r recoveredPiece) open() (io.ReadCloser, error) {
	return r.entry.Open(r.file, r.part.compression)
}

// pass keeps pieces that are there.
func (p *Parts) pass(whole []recoveredPiece) {
	for _, r := range whole {
		r.part.replay.at++
		r.part.whole += r.entry.Size
	}
}

// Continue starts the first blob that is not stored after the part of it that an interrupted
// run left; see Archive.Continue.
func (p *Parts) Continue(desc ocispec.Descriptor) (head io.ReadCloser, written int64, err error) {
	b, err := p.place(desc)
	if err != nil {
		return nil, 0, err
	}
	p.blob = b
	if !b.cut {
		part, err := p.part(b.pieces[0].Part)
		if err != nil {
			return nil, 0, err
		}
		head, written, err = part.Continue(desc)
		b.begun = head != nil
		return head, written, p.inPart(part, err)
	}
	found, err := p.wholePieces(b)
	if err != nil || len(found) == len(b.pieces) { // then they are wrong
		return nil, 0, err
	}
	return p.continuePieces(b, found)
}

// continuePieces continues a blob that has some whole pieces. There may be the beginning of
// the next one.
func (p *Parts) continuePieces(b *partBlob, whole []recoveredPiece) (head io.ReadCloser, written int64, err error) {
	next := len(whole)
	part := p.parts[b.pieces[next].Part]
	tail := part.replay.tailNamed(b.name(next), b.pieces[next].Size)
	found := whole
	if tail != nil {
		found = append(found, recoveredPiece{part, part.replay.file, tail})
	}
	if len(found) == 0 {
		return nil, 0, nil
	}
	p.pass(whole)
	for _, r := range found {
		written += r.entry.End - r.entry.Offset
		if err := r.part.continueEntry(r.entry == tail, tail); err != nil {
			return nil, 0, p.inPart(r.part, err)
		}
	}
	b.at = len(found) - 1
	b.begun = tail != nil
	if tail != nil {
		b.edge = edge{compression: p.compression, left: tail.Left()}
		part.size, part.written = tail.Size, tail.End-tail.Offset
	}
	return &joined{parts: found}, written, nil
}

// continueEntry ends the replay: after the entries that are kept or, at a tail, after that.
func (a *Archive) continueEntry(atTail bool, tail *bundle.RecoveredEntry) error {
	a.worth = true
	if !atTail {
		tail = nil
	}
	return a.part(tail)
}

// joined reads pieces one after the other.
type joined struct {
	parts []recoveredPiece // not opened
	piece io.ReadCloser    // nil before the first, and between two
}

func (j *joined) Read(b []byte) (int, error) {
	for {
		if j.piece == nil {
			if len(j.parts) == 0 {
				return 0, io.EOF
			}
			piece, err := j.parts[0].open()
			if err != nil {
				return 0, err
			}
			j.piece, j.parts = piece, j.parts[1:]
		}
		n, err := j.piece.Read(b)
		if n > 0 || err != io.EOF {
			return n, err
		}
		if err := j.Close(); err != nil {
			return 0, err
		}
	}
}

func (j *joined) Close() error {
	if j.piece == nil {
		return nil
	}
	err := j.piece.Close()
	j.piece = nil
	return err
}
