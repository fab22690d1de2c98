package main

import "sync"

// retries are the requests that are waiting to be sent once more. What is told of
// them stays until it is read, however short the wait. The zero value is
// ready.
type retries struct {
	mu      sync.Mutex // guards what follows
	waiting int
	latest  retry
	unseen  bool // latest
}

// retry tells why which registry is asked once more; zero if none is.
type retry struct{ registry, reason string }

// begin notes one, until the function that it returns is called.
func (r *retries) begin(registry, reason string) (over func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting++
	r.latest, r.unseen = retry{registry, reason}, true
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.waiting--
	}
}

// look returns the latest that is under way or was since the last look.
func (r *retries) look() retry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == 0 && !r.unseen {
		return retry{}
	}
	r.unseen = false
	return r.latest
}

// full names the registry, too.
func (r retry) full() string {
	if r.reason == "" {
		return ""
	}
	return r.registry + ": " + r.reason
}

// text says what is done; nothing if nothing is.
func (r retry) text() string {
	if r.reason == "" {
		return ""
	}
	return "retrying: " + r.reason
}
