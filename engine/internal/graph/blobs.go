package graph

import (
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Blob returns the one record of a leaf, whatever its media type, and notes that o has it.
func (g *Graph) Blob(desc ocispec.Descriptor, o origin.Origin) *Blob {
	embedded := oci.HasInline(desc)
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.blobs[desc.Digest]
	b := first.sized(desc.Size)
	if b == nil {
		b = &Blob{Descriptor: content.Of(desc), Number: g.numbered}
		g.numbered++
		for _, l := range g.Near {
			if l.Has(desc) {
				b.Held = b.Held || l == g.Before
				b.addOrigin(l)
			}
		}
		if first == nil {
			g.blobs[desc.Digest] = b
		} else {
			first.addRival(b)
		}
	}
	if embedded {
		b.addOrigin(&inline{Origin: o, data: desc.Data, embedded: true})
	}
	if m, is := o.(*origin.Made); is {
		if data := m.Kept(desc.Digest); data != nil {
			b.addOrigin(&inline{Origin: o, data: data})
		}
	}
	b.addOrigin(o)
	return b
}

// Embedded returns the bytes of a blob that a descriptor has in itself, nil if none has.
func (g *Graph) Embedded(d content.Descriptor) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.blobs[d.Digest].sized(d.Size)
	if b == nil || b.inline() == nil {
		return nil
	}
	return b.inline().data
}

// IsEmbedded reports whether some descriptor has the bytes of a blob in itself.
func (g *Graph) IsEmbedded(b *Blob) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := b.inline()
	return i != nil && i.embedded
}

// IsInline reports whether the bytes of a blob are in memory.
func (g *Graph) IsInline(b *Blob) bool {
	_, is := g.first(b).(*inline)
	return is
}

// Rivals lists the other blobs of this digest, which manifests name with other sizes. At
// most one size is right.
func (g *Graph) Rivals(b *Blob) []*Blob {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*Blob
	for r := b.rival; r != nil && r != b; r = r.rival {
		all = append(all, r)
	}
	return all
}

func (g *Graph) alsoAt(n *Node, o origin.Origin) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range n.Blobs {
		b.addOrigin(o)
	}
}

// OriginOf returns the origin to ask for a blob at an attempt, counted from 0: each at one of
// its endpoints.
func (g *Graph) OriginOf(b *Blob, attempt int) origin.Origin {
	g.mu.Lock()
	defer g.mu.Unlock()
	attempt %= b.endpoints()
	for _, o := range b.Origins {
		n := origin.CountEndpoints(o)
		if attempt < n {
			return origin.EndpointOf(o, attempt)
		}
		attempt -= n
	}
	return nil // not reached
}

// first returns the origin that is asked first.
func (g *Graph) first(b *Blob) origin.Origin {
	g.mu.Lock()
	defer g.mu.Unlock()
	return b.Origins[0]
}

// CountOrigins returns the number of endpoints that are known to have a blob.
func (g *Graph) CountOrigins(b *Blob) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return b.endpoints()
}

// IsNear reports whether a blob is in a layout on disk.
func (g *Graph) IsNear(b *Blob) bool { return origin.OnDisk(g.first(b)) }

// WorthRetry reports whether a blob should be fetched again: from another origin that has
// it, or once more if its bytes were wrong.
func (g *Graph) WorthRetry(b *Blob, attempt int, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return attempt+1 < b.endpoints() || attempt == 0 && content.IsWrong(err)
}

// Find returns the blob with the digest and the size of d; nil if no walk found it.
func (g *Graph) Find(d content.Descriptor) *Blob {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.blobs[d.Digest].sized(d.Size)
}

// RemotesOf lists the repositories of a registry that are known to have a blob.
func (g *Graph) RemotesOf(d content.Descriptor, registry string) []*origin.Remote {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.blobs[d.Digest].sized(d.Size)
	if b == nil {
		return nil
	}
	var all []*origin.Remote
	for _, o := range b.Origins {
		if r, is := o.(*origin.Remote); is && r.Registry() == registry {
			all = append(all, r)
		}
	}
	return all
}

// IsSignature reports whether a blob was read as a signature.
func (g *Graph) IsSignature(d content.Descriptor) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.blobs[d.Digest].sized(d.Size)
	return b != nil && b.isSignature
}
