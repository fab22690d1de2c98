package headway

import (
	"sync"

	"github.com/oras-mirror/oras-mirror/engine"
)

// Sending is the progress of one blob on its way to one place, however often it is
// begun.
type Sending struct {
	Progress engine.Progress
	Size     int64
	expected bool // by the run

	mu   sync.Mutex // guards done
	done extents
}

// Expect says that the bytes will go out.
func (s *Sending) Expect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expectOnce()
}

func (s *Sending) expectOnce() {
	if !s.expected {
		s.expected = true
		s.Progress.Expect(s.Size - s.done.size())
	}
}

// Begin is called for each time that the bytes go out, from the first on. The
// function that it returns hears of them.
func (s *Sending) Begin() func(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expectOnce()
	off := int64(0)
	return func(n int64) {
		s.mu.Lock()
		added := s.done.add(off, n, s.Size)
		s.mu.Unlock()
		off += n
		if added > 0 {
			s.Progress.Moved(added)
		}
	}
}

// Spare takes back what will not go out: the place has it, or never gets it.
func (s *Sending) Spare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expected {
		s.expected = false
		s.Progress.Expect(s.done.size() - s.Size)
	}
}
