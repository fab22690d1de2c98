package graph

import (
	"slices"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
)

// Blob is one leaf of the graph.
type Blob struct {
	content.Descriptor
	Origins     []origin.Origin // where it can be had, the first one found first; guarded by graph.mu
	Number      uint32          // counted from 0
	Held        bool            // the output had it before; of a directory guarded by its mutex, of an archive by graph.mu
	Counted     bool            // in the report
	isSignature bool            // it was read to check a signature; guarded by graph.mu
	Err         error
	rival       *Blob // the next of a ring of those with this digest and other sizes; nil: there are none; guarded by graph.mu
}

// endpoints returns the number of endpoints that a blob can be had from. The caller holds graph.mu.
func (b *Blob) endpoints() int {
	n := 0
	for _, o := range b.Origins {
		n += origin.CountEndpoints(o)
	}
	return n
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

// addOrigin adds an origin. Those on disk come before the registries.
func (b *Blob) addOrigin(o origin.Origin) {
	if _, is := o.(*inline); slices.Contains(b.Origins, o) || is && b.inline() != nil {
		return
	}
	if origin.OnDisk(o) {
		at := slices.IndexFunc(b.Origins, func(o origin.Origin) bool { return !origin.OnDisk(o) })
		if at >= 0 {
			b.Origins = slices.Insert(b.Origins, at, o)
			return
		}
	}
	b.Origins = append(b.Origins, o)
}
