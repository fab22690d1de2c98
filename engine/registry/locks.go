package registry

import (
	"sync"

	"github.com/opencontainers/go-digest"
)

// locks holds one lock for each digest. The zero value is ready to use.
type locks struct {
	mu   sync.Mutex // guards held
	held map[digest.Digest]*heldLock
}

type heldLock struct {
	sync.Mutex
	users int // that hold it or wait for it; guarded by locks.mu
}

// lock waits for the lock of d and returns the function that releases it.
func (l *locks) lock(d digest.Digest) (unlock func()) {
	l.mu.Lock()
	h := l.held[d]
	if h == nil {
		if l.held == nil {
			l.held = make(map[digest.Digest]*heldLock)
		}
		h = &heldLock{}
		l.held[d] = h
	}
	h.users++
	l.mu.Unlock()
	h.Lock()
	return func() {
		h.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(l.held, d)
		}
	}
}
