package plan

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
)

// Shortage gathers the wanted platforms that indexes have no image for. The zero value is
// ready, and safe for concurrent use.
type Shortage struct {
	mu    sync.Mutex // guards count and first
	count map[string]int
	first map[string]string // an artifact that lacks the platform
}

// Add notes the platforms that an artifact lacks.
func (s *Shortage) Add(artifact string, lacks []config.Platform) {
	if len(lacks) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == nil {
		s.count, s.first = make(map[string]int), make(map[string]string)
	}
	for _, platform := range lacks {
		name := platform.String()
		if s.count[name]++; s.count[name] == 1 {
			s.first[name] = artifact
		}
	}
}

// Tell reports each lacking platform, with the first artifact that lacks it.
func (s *Shortage) Tell(notice func(string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, platform := range slices.Sorted(maps.Keys(s.count)) {
		text := s.first[platform] + " has no image for " + platform
		if more := s.count[platform] - 1; more > 0 {
			text += fmt.Sprintf(", and neither have %d others", more)
		}
		notice(text)
	}
}
