package testregistry

import (
	"bytes"
	"strconv"
	"sync"
)

// uploads holds the open upload sessions.
type uploads struct {
	mu       sync.Mutex // guards all below; never held while a body is read
	last     int
	sessions map[string]*bytes.Buffer // what PATCH brought, by session
}

func (u *uploads) begin() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sessions == nil {
		u.sessions = map[string]*bytes.Buffer{}
	}
	u.last++
	session := strconv.Itoa(u.last)
	u.sessions[session] = new(bytes.Buffer)
	return session
}

func (u *uploads) session(name string) (*bytes.Buffer, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	sofar, ok := u.sessions[name]
	return sofar, ok
}

func (u *uploads) end(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.sessions, name)
}
