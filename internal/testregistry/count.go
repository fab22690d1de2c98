package testregistry

import (
	"maps"
	"net/http"
	"slices"
	"sync"
)

// counters counts the requests to a registry. The zero value is ready to use.
type counters struct {
	mu       sync.Mutex // guards all below
	kinds    map[string]int
	urls     map[string]int
	log      []string
	inFlight int
	most     int
}

// enter counts a request as in flight and returns the function that ends that.
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

// count counts a request and returns the number of those with the same method and URL.
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

// Count returns the number of requests of a kind (see Kind). Two more kinds are counted:
// "range" is a request of any kind with a Range header, and "challenge" one that got a 401
// for lack of credentials, which counts as no other kind.
func (r *Registry) Count(kind string) int {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	return r.counters.kinds[kind]
}

// Counts returns Count for all kinds.
func (r *Registry) Counts() map[string]int {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	return maps.Clone(r.counters.kinds)
}

// URLs returns the number of requests for each "METHOD /path?query", without challenges.
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

// MaxInFlight returns the maximum of requests in flight at once. A request is in flight until
// its response is written.
func (r *Registry) MaxInFlight() int {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	return r.counters.most
}

// InFlight returns the number of requests in flight.
func (r *Registry) InFlight() int {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	return r.counters.inFlight
}

// ResetCounts resets all counts. Requests in flight stay in flight.
func (r *Registry) ResetCounts() {
	r.counters.mu.Lock()
	defer r.counters.mu.Unlock()
	r.counters.kinds, r.counters.urls, r.counters.log = nil, nil, nil
	r.counters.most = r.counters.inFlight
}
