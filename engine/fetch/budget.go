package fetch

import (
	"container/list"
	"context"
	"sync"
)

// Budget grants memory in the order of the requests: a small one never overtakes a
// large one. It is safe for concurrent use; any number of calls of Windows may share
// one.
type Budget struct {
	sizes
	chunks *chunks

	mu       sync.Mutex // guards what follows
	capacity int64
	free     int64     // below zero while sinks emit more than they took in
	waiting  list.List // of *request
}

// request is a request for memory.
type request struct {
	n       int64
	granted chan struct{}
}

// NewBudget returns a budget of the size in o.
func NewBudget(o Options) *Budget {
	s := o.sizes()
	return &Budget{sizes: s, chunks: &chunks{size: s.chunk}, capacity: s.budget, free: s.budget}
}

// reserveWindow permanently takes one window out of b and returns it as a separate
// budget that shares b's chunks.
func (b *Budget) reserveWindow() *Budget {
	n := b.reserve()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.capacity -= n
	b.free -= n
	return &Budget{sizes: b.sizes, chunks: b.chunks, capacity: n, free: n}
}

// acquire waits for n bytes and returns the charge: n, or the whole capacity if n is
// more.
func (b *Budget) acquire(ctx context.Context, n int64) (int64, error) {
	b.mu.Lock()
	n = min(n, b.capacity)
	if b.waiting.Len() == 0 && b.free >= n {
		b.free -= n
		b.mu.Unlock()
		return n, nil
	}
	w := &request{n: n, granted: make(chan struct{})}
	e := b.waiting.PushBack(w)
	b.mu.Unlock()
	select {
	case <-w.granted:
		return n, nil
	case <-ctx.Done():
		b.withdraw(e)
		return 0, ctx.Err()
	}
}

// withdraw removes a request, which may have been granted in the meantime.
func (b *Budget) withdraw(e *list.Element) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := e.Value.(*request)
	select {
	case <-w.granted:
		b.free += w.n
	default:
		b.waiting.Remove(e)
	}
	b.grant()
}

// release gives n bytes back. A negative n takes them without waiting.
func (b *Budget) release(n int64) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	b.free += n
	b.grant()
	b.mu.Unlock()
}

// grant serves the waiting requests, first come, first served. The caller holds mu.
func (b *Budget) grant() {
	for e := b.waiting.Front(); e != nil; e = b.waiting.Front() {
		w := e.Value.(*request)
		if b.free < w.n {
			return
		}
		b.free -= w.n
		b.waiting.Remove(e)
		close(w.granted)
	}
}
