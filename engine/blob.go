package engine

import (
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store"
)

// blob is one leaf of the run.
type blob struct {
	descriptor
	origins []origin // where it can be had, the first one found first; guarded by graph.mu
	number  uint32   // counted from 0
	held    bool     // the output had it before; of a directory guarded by its mutex, of an archive by graph.mu
	counted bool     // in the report
	err     error
	rival   *blob // the next of a ring of those with this digest and other sizes; nil: there are none; guarded by graph.mu
}

// blob returns the run's one record of a leaf, whatever media types it is given, and
// notes that o has it.
func (g *graph) blob(desc ocispec.Descriptor, o origin) *blob {
	embedded := store.HasInline(desc)
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.blobs[desc.Digest]
	b := first.sized(desc.Size)
	if b == nil {
		b = &blob{descriptor: compact(desc), number: g.numbered}
		g.numbered++
		for _, l := range g.Near {
			if l.has(desc) {
				b.held = b.held || l == g.Before
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
		b.addOrigin(&inline{origin: o, data: desc.Data})
	}
	b.addOrigin(o)
	return b
}

// inline returns where the bytes of a blob are in memory, nil if they are not.
func (b *blob) inline() *inline {
	for _, o := range b.origins {
		if i, ok := o.(*inline); ok {
			return i
		}
	}
	return nil
}

// embedded returns the bytes of a blob that a descriptor has in itself, nil if none has.
func (g *graph) embedded(d descriptor) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.blobs[d.digest].sized(d.size)
	if b == nil || b.inline() == nil {
		return nil
	}
	return b.inline().data
}

// isInline tells whether a blob need not be asked for, since it is in memory.
func (g *graph) isInline(b *blob) bool {
	_, is := g.from(b, 0).(*inline)
	return is
}

// sized finds the one of b and its rivals that has a size; nil if none has.
func (b *blob) sized(size int64) *blob {
	if b == nil || b.size == size {
		return b
	}
	for r := b.rival; r != nil && r != b; r = r.rival {
		if r.size == size {
			return r
		}
	}
	return nil
}

func (b *blob) addRival(other *blob) {
	next := b.rival
	if next == nil {
		next = b
	}
	b.rival, other.rival = other, next
}

// rivals lists the blobs of this digest that are said to have other sizes. At most one
// of them all is right.
func (g *graph) rivals(b *blob) []*blob {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*blob
	for r := b.rival; r != nil && r != b; r = r.rival {
		all = append(all, r)
	}
	return all
}

func (g *graph) alsoAt(n *node, o origin) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range n.blobs {
		b.addOrigin(o)
	}
}

// addOrigin notes one more place. One on disk comes before those that have to be
// asked, whatever is found first.
func (b *blob) addOrigin(o origin) {
	if _, is := o.(*inline); slices.Contains(b.origins, o) || is && b.inline() != nil {
		return
	}
	if onDisk(o) {
		at := slices.IndexFunc(b.origins, func(o origin) bool { return !onDisk(o) })
		if at >= 0 {
			b.origins = slices.Insert(b.origins, at, o)
			return
		}
	}
	b.origins = append(b.origins, o)
}

// from returns where to ask for the blob at a given attempt, counted from 0.
func (g *graph) from(b *blob, attempt int) origin {
	g.mu.Lock()
	defer g.mu.Unlock()
	return b.origins[attempt%len(b.origins)]
}

// places counts where a blob can be had, as far as is known.
func (g *graph) places(b *blob) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(b.origins)
}

// isNear tells whether a blob lies in a layout on disk.
func (g *graph) isNear(b *blob) bool { return onDisk(g.from(b, 0)) }

// another tells whether asking again for a blob is worth while: where another
// place has it, or once more where the bytes were wrong.
func (g *graph) another(b *blob, attempt int, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return attempt+1 < len(b.origins) || attempt == 0 && isWrong(err)
}
