package progress

import "sync"

// Retries holds the requests that wait to be sent again. A retry stays visible until Look
// returns it, however short its wait. The zero value is ready to use.
type Retries struct {
	mu      sync.Mutex // guards the fields below
	waiting int
	latest  Retry
	unseen  bool // Look has not returned latest yet
}

// Retry is a request that is sent again. The zero value means none.
type Retry struct{ Registry, Reason string }

// Begin adds a retry and returns the function that removes it.
func (r *Retries) Begin(registry, reason string) (over func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting++
	r.latest, r.unseen = Retry{registry, reason}, true
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.waiting--
	}
}

// Look returns the latest retry that waits now or began since the last call of Look.
func (r *Retries) Look() Retry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == 0 && !r.unseen {
		return Retry{}
	}
	r.unseen = false
	return r.latest
}

// Full returns the registry and the reason, or "".
func (r Retry) Full() string {
	if r.Reason == "" {
		return ""
	}
	return r.Registry + ": " + r.Reason
}

// Text returns the reason, or "".
func (r Retry) Text() string {
	if r.Reason == "" {
		return ""
	}
	return "retrying: " + r.Reason
}
