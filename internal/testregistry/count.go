package testregistry

import (
	"maps"
	"net/http"
	"slices"
	"sync"
)

// counters keep what a registry was asked. The zero value is ready.
type counters struct {
	mu       sync.Mutex // guards all below
	kinds    map[string]int
	urls     map[string]int
	log      []string
	inFlight int
	most     int
}

// enter notes a request as in flight and returns what ends that.
func (c *counters) enter() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight++
	c.most = max(c.most, c.inFlight)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inFlight--
	}
}

// count notes a request and returns how many of the same method and URL there were.
func (c *counters) count(kind string, req *http.Request) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds == nil {
		c.kinds, c.urls = map[string]int{}, map[string]int{}
	}
	line := req.Method + " " + req.URL.RequestURI()
	c.kinds[kind]++
	c.log = append(c.log, line)
	if req.Header.Get("Range") != "" {
		c.kinds["range"]++
	}
	if kind == "challenge" {
		return 0
	}
	c.urls[line]++
	return c.urls[line]
}

// Count returns how many requests of a kind came, see Kind. Two more are counted:
// "range" is a request of any kind that had a Range header, and "challenge" one
// that was answered with 401 for want of credentials, which counts as no other.
func (r *Registry) Count(kind string) int {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	return r.counters.kinds[kind]
}

// Counts returns all of Count.
func (r *Registry) Counts() map[string]int {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	return maps.Clone(r.counters.kinds)
}

// URLs returns how often each "METHOD /path?query" was asked for, challenges left out.
func (r *Registry) URLs() map[string]int {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	return maps.Clone(r.counters.urls)
}

// Requests returns "METHOD /path?query" of every request, in the order of arrival.
func (r *Registry) Requests() []string {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	return slices.Clone(r.counters.log)
}

// MaxInFlight returns the most requests seen at once; a request counts until its
// answer is written.
func (r *Registry) MaxInFlight() int {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	return r.counters.most
}

// InFlight returns the requests that are not answered yet.
func (r *Registry) InFlight() int {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	return r.counters.inFlight
}

// ResetCounts forgets what was counted. Requests in flight stay in flight.
func (r *Registry) ResetCounts() {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	r.counters.kinds, r.counters.urls, r.counters.log = nil, nil, nil
	r.counters.most = r.counters.inFlight
}
