package headway

import (
	"sync"

	"github.com/oras-mirror/oras-mirror/engine"
)

// Sending counts the progress of one blob to one repository, however often its upload
// starts over.
type Sending struct {
	Progress engine.Progress
	Size     int64
	expected bool // by the run

	mu   sync.Mutex // guards done
	done extents
}

// Expect announces the bytes of the blob.
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

// Begin starts an attempt to send the blob, from its first byte. The function that it
// returns counts the bytes of the attempt.
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

// Spare takes back the bytes that will not be sent: the repository has them, or never gets
// them.
func (s *Sending) Spare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expected {
		s.expected = false
		s.Progress.Expect(s.done.size() - s.Size)
	}
}
