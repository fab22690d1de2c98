// Package headway counts the progress of a run: each byte of a blob once, however often its
// transfer starts over.
package headway

import (
	"sync"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
)

// Blobs records the progress of each blob that moves: bytes that move again are not
// progress. The zero value is ready.
type Blobs struct {
	mu    sync.Mutex // guards blobs
	blobs map[content.Key]*course
}

// course records the progress of one blob.
type course struct {
	done extents
	over bool // it is given up, and further bytes do not count
}

// Expect notes that a blob will move, and reports whether that is new.
func (h *Blobs) Expect(key content.Key) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.blobs[key] != nil {
		return false
	}
	h.of(key)
	return true
}

// Add notes n bytes at off, and returns how many of them are new.
func (h *Blobs) Add(key content.Key, off, n int64) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of(key)
	if c.over {
		return 0
	}
	return c.done.add(off, n, key.Size)
}

func (h *Blobs) of(key content.Key) *course {
	if h.blobs == nil {
		h.blobs = make(map[content.Key]*course)
	}
	if h.blobs[key] == nil {
		h.blobs[key] = new(course)
	}
	return h.blobs[key]
}

// Forget frees the record of a blob that is complete.
func (h *Blobs) Forget(key content.Key) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.blobs, key)
}

// GiveUp returns the number of bytes of a blob that will not move; known says whether the
// blob was expected.
func (h *Blobs) GiveUp(key content.Key) (rest int64, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known = h.blobs[key] != nil
	c := h.of(key)
	c.over = true
	return key.Size - c.done.size(), known
}
