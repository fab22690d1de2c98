// Package headway counts how far a run has come: each byte of a blob once, however often
// its transfer begins again.
package headway

import (
	"sync"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
)

// Blobs records how far a run has come with each blob that moves: what moves once more
// is no progress. The zero value is ready.
type Blobs struct {
	mu    sync.Mutex // guards blobs
	blobs map[graph.ContentKey]*course
}

// course records how far one blob has come.
type course struct {
	done extents
	over bool // it is given up, and what still comes of it does not count
}

// Expect tells whether a blob was not expected before.
func (h *Blobs) Expect(key graph.ContentKey) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.blobs[key] != nil {
		return false
	}
	h.of(key)
	return true
}

// Add notes n bytes at off, and returns how many of them are new.
func (h *Blobs) Add(key graph.ContentKey, off, n int64) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of(key)
	if c.over {
		return 0
	}
	return c.done.add(off, n, key.Size)
}

func (h *Blobs) of(key graph.ContentKey) *course {
	if h.blobs == nil {
		h.blobs = make(map[graph.ContentKey]*course)
	}
	if h.blobs[key] == nil {
		h.blobs[key] = new(course)
	}
	return h.blobs[key]
}

// Forget lets go of a blob that is there.
func (h *Blobs) Forget(key graph.ContentKey) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.blobs, key)
}

// GiveUp returns how much of a blob will not move; known says whether any of it was
// to.
func (h *Blobs) GiveUp(key graph.ContentKey) (rest int64, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known = h.blobs[key] != nil
	c := h.of(key)
	c.over = true
	return key.Size - c.done.size(), known
}
