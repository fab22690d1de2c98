package transport

import (
	"maps"
	"net/http"
	"strings"
	"sync"
)

// stats counts requests by kind. Unlike a time, a count does not depend on the machine.
type stats struct {
	mu sync.Mutex // guards n
	n  map[string]int
}

func (s *stats) add(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == nil {
		s.n = make(map[string]int)
	}
	s.n[key]++
}

func (s *stats) counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make(map[string]int, len(s.n))
	maps.Copy(counts, s.n)
	return counts
}

// kind returns the kind of a request, by its path.
func kind(req *http.Request) string {
	path := req.URL.Path
	if !strings.HasPrefix(path, "/v2/") {
		switch {
		case req.Response != nil:
			return "redirected"
		case req.Method == http.MethodPut || req.Method == http.MethodPatch:
			return "upload"
		}
		return "token"
	}
	switch {
	case strings.Contains(path, "/blobs/uploads"):
		return "upload"
	case strings.Contains(path, "/blobs/"):
		return "blob"
	case strings.Contains(path, "/manifests/"):
		return "manifest"
	case strings.Contains(path, "/referrers/"):
		return "referrers"
	case strings.HasSuffix(path, "/tags/list"):
		return "tags"
	}
	return "other"
}
