package engine

import (
	"sync"
)

// headway records how far a run has come with each blob that moves: what moves once more
// is no progress. The zero value is ready.
type headway struct {
	mu    sync.Mutex // guards blobs
	blobs map[contentKey]*course
}

// course records how far one blob has come.
type course struct {
	done extents
	over bool // it is given up, and what still comes of it does not count
}

// expect tells whether a blob was not expected before.
func (h *headway) expect(key contentKey) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.blobs[key] != nil {
		return false
	}
	h.of(key)
	return true
}

// add notes n bytes at off, and returns how many of them are new.
func (h *headway) add(key contentKey, off, n int64) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of(key)
	if c.over {
		return 0
	}
	return c.done.add(off, n, key.size)
}

func (h *headway) of(key contentKey) *course {
	if h.blobs == nil {
		h.blobs = make(map[contentKey]*course)
	}
	if h.blobs[key] == nil {
		h.blobs[key] = new(course)
	}
	return h.blobs[key]
}

// forget lets go of a blob that is there.
func (h *headway) forget(key contentKey) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.blobs, key)
}

// giveUp returns how much of a blob will not move; known says whether any of it was
// to.
func (h *headway) giveUp(key contentKey) (rest int64, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known = h.blobs[key] != nil
	c := h.of(key)
	c.over = true
	return key.size - c.done.size(), known
}
