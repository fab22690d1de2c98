package testregistry

import (
	"maps"
	"slices"
)

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
