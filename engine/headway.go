package engine

import (
	"slices"
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

// extents are parts of a blob, sorted, with something between any two.
type extents []extent

type extent struct{ from, to int64 }

// add puts a part in, as far as the blob goes, and returns what was not in before.
func (e *extents) add(off, n, size int64) int64 {
	one := extent{off, min(off+n, size)}
	if one.from >= one.to {
		return 0
	}
	first, _ := slices.BinarySearchFunc(*e, one.from, func(x extent, from int64) int {
		if x.to < from {
			return -1
		}
		return 1
	})
	last, met := first, int64(0)
	for ; last < len(*e) && (*e)[last].from <= one.to; last++ {
		x := (*e)[last]
		met += max(0, min(x.to, one.to)-max(x.from, one.from))
	}
	added := one.to - one.from - met
	if last > first {
		one = extent{min(one.from, (*e)[first].from), max(one.to, (*e)[last-1].to)}
	}
	*e = slices.Replace(*e, first, last, one)
	return added
}

// size returns how much they are.
func (e extents) size() int64 {
	n := int64(0)
	for _, x := range e {
		n += x.to - x.from
	}
	return n
}

// sending is the progress of one blob on its way to one place, however often it is
// begun.
type sending struct {
	progress Progress
	size     int64
	expected bool // by the run

	mu   sync.Mutex // guards done
	done extents
}

// expect says that the bytes will go out.
func (s *sending) expect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expectOnce()
}

func (s *sending) expectOnce() {
	if !s.expected {
		s.expected = true
		s.progress.Expect(s.size - s.done.size())
	}
}

// begin is called for each time that the bytes go out, from the first on. The
// function that it returns hears of them.
func (s *sending) begin() func(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expectOnce()
	off := int64(0)
	return func(n int64) {
		s.mu.Lock()
		added := s.done.add(off, n, s.size)
		s.mu.Unlock()
		off += n
		if added > 0 {
			s.progress.Moved(added)
		}
	}
}

// spare takes back what will not go out: the place has it, or never gets it.
func (s *sending) spare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expected {
		s.expected = false
		s.progress.Expect(s.done.size() - s.size)
	}
}
