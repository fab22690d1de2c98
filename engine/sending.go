package engine

import (
	"sync"
)

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
