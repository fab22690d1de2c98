package graph

import (
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store"
)

// Blob is one leaf of the run.
type Blob struct {
	Descriptor
	Origins []Origin // where it can be had, the first one found first; guarded by graph.mu
	Number  uint32   // counted from 0
	Held    bool     // the output had it before; of a directory guarded by its mutex, of an archive by graph.mu
	Counted bool     // in the report
	Err     error
	rival   *Blob // the next of a ring of those with this digest and other sizes; nil: there are none; guarded by graph.mu
}

// Blob returns the run's one record of a leaf, whatever media types it is given, and
// notes that o has it.
func (g *Graph) Blob(desc ocispec.Descriptor, o Origin) *Blob {
	embedded := store.HasInline(desc)
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.blobs[desc.Digest]
	b := first.sized(desc.Size)
	if b == nil {
		b = &Blob{Descriptor: Compact(desc), Number: g.numbered}
		g.numbered++
		for _, l := range g.Near {
			if l.has(desc) {
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
		b.addOrigin(&inline{Origin: o, data: desc.Data})
	}
	b.addOrigin(o)
	return b
}

// inline returns where the bytes of a blob are in memory, nil if they are not.
func (b *Blob) inline() *inline {
	for _, o := range b.Origins {
		if i, ok := o.(*inline); ok {
			return i
		}
	}
	return nil
}

// Embedded returns the bytes of a blob that a descriptor has in itself, nil if none has.
func (g *Graph) Embedded(d Descriptor) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.blobs[d.Digest].sized(d.Size)
	if b == nil || b.inline() == nil {
		return nil
	}
	return b.inline().data
}

// IsInline tells whether a blob need not be asked for, since it is in memory.
func (g *Graph) IsInline(b *Blob) bool {
	_, is := g.OriginOf(b, 0).(*inline)
	return is
}

// sized finds the one of b and its rivals that has a size; nil if none has.
func (b *Blob) sized(size int64) *Blob {
	if b == nil || b.Size == size {
		return b
	}
	for r := b.rival; r != nil && r != b; r = r.rival {
		if r.Size == size {
			return r
		}
	}
	return nil
}

func (b *Blob) addRival(other *Blob) {
	next := b.rival
	if next == nil {
		next = b
	}
	b.rival, other.rival = other, next
}

// Rivals lists the blobs of this digest that are said to have other sizes. At most one
// of them all is right.
func (g *Graph) Rivals(b *Blob) []*Blob {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*Blob
	for r := b.rival; r != nil && r != b; r = r.rival {
		all = append(all, r)
	}
	return all
}

func (g *Graph) alsoAt(n *Node, o Origin) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range n.Blobs {
		b.addOrigin(o)
	}
}

// addOrigin notes one more place. One on disk comes before those that have to be
// asked, whatever is found first.
func (b *Blob) addOrigin(o Origin) {
	if _, is := o.(*inline); slices.Contains(b.Origins, o) || is && b.inline() != nil {
		return
	}
	if OnDisk(o) {
		at := slices.IndexFunc(b.Origins, func(o Origin) bool { return !OnDisk(o) })
		if at >= 0 {
			b.Origins = slices.Insert(b.Origins, at, o)
			return
		}
	}
	b.Origins = append(b.Origins, o)
}

// OriginOf returns where to ask for the blob at a given attempt, counted from 0.
func (g *Graph) OriginOf(b *Blob, attempt int) Origin {
	g.mu.Lock()
	defer g.mu.Unlock()
	return b.Origins[attempt%len(b.Origins)]
}

// CountOrigins counts where a blob can be had, as far as is known.
func (g *Graph) CountOrigins(b *Blob) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(b.Origins)
}

// IsNear tells whether a blob lies in a layout on disk.
func (g *Graph) IsNear(b *Blob) bool { return OnDisk(g.OriginOf(b, 0)) }

// WorthRetry tells whether asking again for a blob is worth while: where another
// place has it, or once more where the bytes were wrong.
func (g *Graph) WorthRetry(b *Blob, attempt int, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return attempt+1 < len(b.Origins) || attempt == 0 && IsWrong(err)
}
