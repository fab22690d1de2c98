package fetch

import (
	"container/list"
	"context"
	"sync"
)

// Budget is memory that is granted in the order in which it is asked for: a
// small wish never overtakes a large one. Safe for concurrent use; any number of
// calls of Windows may share one.
type Budget struct {
	sizes
	chunks *chunks

	mu       sync.Mutex // guards what follows
	capacity int64
	free     int64     // below zero while sinks emit more than they took in
	waiting  list.List // of *wish
}

type wish struct {
	n       int64
	granted chan struct{}
}

// NewBudget makes the memory that o describes.
func NewBudget(o Options) *Budget {
	s := o.sizes()
	return &Budget{sizes: s, chunks: &chunks{size: s.chunk}, capacity: s.budget, free: s.budget}
}

// reserveWindow takes one window out of b for good and returns it as a budget of
// its own that shares b's chunks.
func (b *Budget) reserveWindow() *Budget {
	n := b.reserve()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.capacity -= n
	b.free -= n
	return &Budget{sizes: b.sizes, chunks: b.chunks, capacity: n, free: n}
}

// acquire waits for n bytes and returns what was charged: n, or all there is.
func (b *Budget) acquire(ctx context.Context, n int64) (int64, error) {
	b.mu.Lock()
	n = min(n, b.capacity)
	if b.waiting.Len() == 0 && b.free >= n {
		b.free -= n
		b.mu.Unlock()
		return n, nil
	}
	w := &wish{n: n, granted: make(chan struct{})}
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

// withdraw takes back a wish, which may have been granted in the meantime.
func (b *Budget) withdraw(e *list.Element) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := e.Value.(*wish)
	select {
	case <-w.granted:
		b.free += w.n
	default:
		b.waiting.Remove(e)
	}
	b.grant()
}

// release gives n bytes back. Below zero it takes them without waiting.
func (b *Budget) release(n int64) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	b.free += n
	b.grant()
	b.mu.Unlock()
}

// grant serves those who wait, first come, first served. mu is held.
func (b *Budget) grant() {
	for e := b.waiting.Front(); e != nil; e = b.waiting.Front() {
		w := e.Value.(*wish)
		if b.free < w.n {
			return
		}
		b.free -= w.n
		b.waiting.Remove(e)
		close(w.granted)
	}
}
