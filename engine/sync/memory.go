package sync

import (
	"container/list"
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

const (
	// window is the size of one request for a part of a large blob: one of 256 MiB at
	// 20 MiB/s a connection takes 3.7 s by 4 windows of 16 MiB, and 2.0 s by 8 of 8 MiB.
	window = 8 << 20
	// minCharge is the least memory that a blob takes, with the buffers of its request.
	minCharge = 64 << 10
)

// memory is the buffer of a run. A holder of some of it waits for slots, but never for more
// memory; a stream, which has its slots, takes memory only if it is free.
type memory struct {
	capacity int64
	free     *semaphore.Weighted
	ahead    *semaphore.Weighted // of windows, at most half of all

	chunks chunks

	mu      sync.Mutex // guards waiting and idle
	waiting int        // callers of acquire
	idle    list.List  // of *held, whose bytes the next target may need
}

func newMemory(buffer int64) *memory {
	n := bounds.Room(buffer, engine.LeastBuffer)
	return &memory{capacity: n, free: semaphore.NewWeighted(n), ahead: semaphore.NewWeighted(n / 2)}
}

// hasWindows reports whether large blobs are fetched in windows: there is room for some
// ahead.
func (m *memory) hasWindows() bool { return m.capacity >= 4*window }

// pieces returns how many requests fetch a large blob.
func (m *memory) pieces(size int64) int {
	if !m.hasWindows() || size <= window {
		return 1
	}
	return int((size-1)/window + 1)
}

// charge returns the memory that a blob of a size takes.
func (m *memory) charge(size int64) int64 {
	if size <= minCharge {
		return min(minCharge, m.capacity)
	}
	return min((size+chunk-1)/chunk*chunk, m.capacity)
}

// acquire waits for n bytes. It evicts blobs that nothing reads now.
func (m *memory) acquire(ctx context.Context, n int64) error {
	m.mu.Lock()
	m.waiting++
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.waiting--
		m.mu.Unlock()
	}()
	for !m.free.TryAcquire(n) {
		if !m.evict() {
			if err := m.free.Acquire(ctx, n); err != nil {
				return context.Cause(ctx)
			}
			return nil
		}
	}
	return nil
}

func (m *memory) release(n int64) { m.free.Release(n) }

// takeWindow returns a window if there is memory for it now, else nil.
func (m *memory) takeWindow(n int64) [][]byte {
	if !m.ahead.TryAcquire(window) {
		return nil
	}
	if !m.free.TryAcquire(window) {
		m.ahead.Release(window)
		return nil
	}
	return m.chunks.take(n)
}

// giveWindow returns a window.
func (m *memory) giveWindow(b [][]byte) {
	m.chunks.give(b)
	m.free.Release(window)
	m.ahead.Release(window)
}

// evict drops one blob that nothing reads; false if there is none.
func (m *memory) evict() bool {
	m.mu.Lock()
	first := m.idle.Front()
	if first == nil {
		m.mu.Unlock()
		return false
	}
	h := m.idle.Remove(first).(*held)
	h.idle = nil
	m.mu.Unlock()
	h.drop()
	return true
}

// keep keeps a blob that nothing reads for the next target, unless another blob waits for
// memory.
func (m *memory) keep(h *held) (kept bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting > 0 {
		return false
	}
	if h.idle == nil {
		h.idle = m.idle.PushBack(h)
	}
	return true
}

// forget takes a blob off the list of those that nothing reads.
func (m *memory) forget(h *held) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h.idle != nil {
		m.idle.Remove(h.idle)
		h.idle = nil
	}
}
