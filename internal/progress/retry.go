package progress

import (
	"sync"
)

// Retries are the requests that are waiting to be sent once more. What is told of
// them stays until it is read, however short the wait. The zero value is
// ready.
type Retries struct {
	mu      sync.Mutex // guards what follows
	waiting int
	latest  Retry
	unseen  bool // latest
}

// Retry tells why which registry is asked once more; zero if none is.
type Retry struct{ Registry, Reason string }

// Begin notes one, until the function that it returns is called.
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

// Look returns the latest that is under way or was since the last look.
func (r *Retries) Look() Retry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == 0 && !r.unseen {
		return Retry{}
	}
	r.unseen = false
	return r.latest
}

// Full names the registry, too.
func (r Retry) Full() string {
	if r.Reason == "" {
		return ""
	}
	return r.Registry + ": " + r.Reason
}

// Text says what is done; nothing if nothing is.
func (r Retry) Text() string {
	if r.Reason == "" {
		return ""
	}
	return "retrying: " + r.Reason
}
