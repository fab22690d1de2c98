package store

import (
	"errors"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// partBlob is the blob that is being written: into one part, or in pieces into several.
type partBlob struct {
	desc   ocispec.Descriptor
	pieces []parts.PlacedPiece
	cut    bool
	at     int // the piece that is written
	begun  bool
	edge   edge // where it ends
}

// name returns the name of the entry of a piece.
func (b *partBlob) name(i int) string {
	if b.cut {
		return bundle.PieceName(b.desc.Digest, b.pieces[i].Offset)
	}
	return bundle.BlobName(b.desc.Digest)
}

// place returns the blob of a descriptor, in the pieces in which it is stored.
func (p *Parts) place(desc ocispec.Descriptor) (*partBlob, error) {
	if p.division == nil {
		return nil, errors.New("no blob was announced")
	}
	pieces, err := p.division.Place(desc)
	if err != nil {
		return nil, err
	}
	return &partBlob{desc: desc, pieces: pieces, cut: len(pieces) > 1}, nil
}

// Encoder returns an encoder for the entries of a blob, whose output goes to Write. Several may
// run concurrently.
func (p *Parts) Encoder(desc ocispec.Descriptor, emit func([]byte) error) io.WriteCloser {
	pieces := p.division.Pieces(desc)
	if pieces == nil {
		return bundle.NewEncoder(p.compression, bundle.BlobName(desc.Digest), desc.Size, emit)
	}
	return bundle.NewPieceEncoder(p.compression, desc.Digest, pieces, emit)
}

// Begin starts a blob, whose bytes an Encoder makes.
func (p *Parts) Begin(desc ocispec.Descriptor) (err error) {
	if p.blob, err = p.place(desc); err != nil {
		return err
	}
	return p.beginPiece()
}

func (p *Parts) beginPiece() error {
	b := p.blob
	piece := b.pieces[b.at]
	part, err := p.part(piece.Part)
	if err != nil {
		return err
	}
	if err := part.beginEntry(b.name(b.at), piece.Size); err != nil {
		return p.inPart(part, err)
	}
	b.begun, b.edge = true, newEdge(p.compression, b.name(b.at), piece.Size)
	return nil
}

// Write appends the output of an Encoder, in pieces of any size.
func (p *Parts) Write(encoded []byte) (written int, err error) {
	b := p.blob
	for written < len(encoded) {
		if b.cut && b.edge.reached() {
			if err := p.nextPiece(); err != nil {
				return written, err
			}
		}
		n := len(encoded) - written
		if b.cut {
			n = b.edge.take(encoded[written:])
		}
		part := p.parts[b.pieces[b.at].Part]
		n, err = part.Write(encoded[written:][:n])
		if written += n; err != nil {
			return written, p.inPart(part, err)
		}
	}
	return written, nil
}

// nextPiece ends a piece and begins the next one.
func (p *Parts) nextPiece() error {
	if err := p.endPiece(); err != nil {
		return err
	}
	if p.blob.at == len(p.blob.pieces)-1 {
		return errors.New("a blob has more bytes than its pieces")
	}
	p.blob.at++
	p.blob.begun = false
	return p.beginPiece()
}

func (p *Parts) endPiece() error {
	if !p.blob.begun { // it was there
		return nil
	}
	part := p.parts[p.blob.pieces[p.blob.at].Part]
	return p.inPart(part, part.End())
}

// End completes the blob.
func (p *Parts) End() error {
	if p.blob.cut && (p.blob.at < len(p.blob.pieces)-1 || !p.blob.edge.reached()) {
		return errors.New("a blob has fewer bytes than its pieces")
	}
	err := p.endPiece()
	p.blob = nil
	return err
}

// Rollback undoes what was written since Begin, in all parts.
func (p *Parts) Rollback() error {
	b := p.blob
	p.blob = nil
	for ; b.at >= 0; b.at-- {
		if b.pieces[b.at].Part >= len(p.parts) {
			continue // it could not be begun
		}
		part := p.parts[b.pieces[b.at].Part]
		var err error
		if b.begun {
			err = part.Rollback()
		} else {
			err = part.drop(b.name(b.at), b.pieces[b.at].Size)
		}
		if b.begun = false; err != nil {
			return p.inPart(part, err)
		}
	}
	return nil
}

// drop takes back the last entry, which is complete.
func (a *Archive) drop(name string, size int64) error {
	file := a.medium.(*partial)
	begin, err := a.out.Drop(name)
	if err != nil {
		return err
	}
	a.whole -= size
	if err := file.buffer.Flush(); err != nil {
		return err
	}
	return file.cut(begin)
}
