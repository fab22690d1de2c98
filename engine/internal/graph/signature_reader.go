package graph

import (
	"context"
	"errors"
	"io"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
)

// readSignature reads a small blob, and keeps it for the copy.
func (g *Graph) readSignature(ctx context.Context, o origin.Origin, desc ocispec.Descriptor) ([]byte, error) {
	if g.Signature != nil {
		return g.Signature(ctx, desc)
	}
	b := g.Find(content.Of(desc))
	if b == nil {
		b = g.Blob(desc, o)
	}
	g.mu.Lock()
	b.isSignature = true
	g.mu.Unlock()
	if c, ok := g.Cache.(BlobCache); ok {
		if data := c.Blob(desc); data != nil {
			return data, nil
		}
	}
	for attempt := 0; ; attempt++ {
		from := g.OriginOf(b, attempt)
		data, err := readBlob(ctx, from, b.OCI())
		if err == nil {
			g.keepSignature(b, from, data)
			return data, nil
		}
		if ctx.Err() != nil || !g.WorthRetry(b, attempt, err) {
			return nil, err
		}
	}
}

// keepSignature keeps a blob that came over the network until the copy has it.
func (g *Graph) keepSignature(b *Blob, from origin.Origin, data []byte) {
	if origin.OnDisk(from) {
		return
	}
	g.Moved(b.Size)
	if g.keepsSignature(b.Size) {
		g.mu.Lock()
		b.addOrigin(&inline{Origin: from, data: data, kept: true})
		g.mu.Unlock()
	}
}

// maxSignatures bounds the bytes of manifests and blobs of signatures that are kept in memory,
// so that they are not fetched twice: enough for 2,000 signatures with certificates.
const maxSignatures = 16 << 20

// keepsSignature takes memory for a part of a signature, if there is room.
func (g *Graph) keepsSignature(size int64) bool {
	if g.signatures.Add(size) > maxSignatures {
		g.signatures.Add(-size)
		return false
	}
	return true
}

// Release frees the bytes of a signature that the output has.
func (g *Graph) Release(b *Blob) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := b.inline(); i != nil && i.kept {
		b.Origins = slices.DeleteFunc(b.Origins, func(o origin.Origin) bool { return o == origin.Origin(i) })
		g.signatures.Add(-b.Size)
	}
}

// readBlob reads a blob whole, and verifies it.
func readBlob(ctx context.Context, from origin.Origin, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size == 0 {
		return nil, content.Verify(desc, nil)
	}
	body, err := from.Blob(ctx, desc, 0, desc.Size)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(body, desc.Size+1))
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	return data, content.Verify(desc, data)
}

// keepRaw keeps the bytes of a manifest that may be a signature.
func (g *Graph) keepRaw(n *Node, data []byte) {
	if g.keepsSignature(int64(len(data))) {
		n.raw = &data
	}
}
