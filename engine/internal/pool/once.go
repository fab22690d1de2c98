package pool

import (
	"context"
	"sync"
)

// Once runs a function once for each key and remembers its result. The zero value is ready.
type Once[K comparable, V any] struct {
	mu    sync.Mutex
	calls map[K]*call[V]
}

type call[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// Do returns the result of fn for key. The first caller runs fn; the others wait for it.
func (o *Once[K, V]) Do(ctx context.Context, key K, fn func() (V, error)) (V, error) {
	o.mu.Lock()
	c, met := o.calls[key]
	if !met {
		if o.calls == nil {
			o.calls = make(map[K]*call[V])
		}
		c = &call[V]{done: make(chan struct{})}
		o.calls[key] = c
	}
	o.mu.Unlock()
	if !met {
		c.value, c.err = fn()
		close(c.done)
		return c.value, c.err
	}
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		var zero V
		return zero, context.Cause(ctx)
	}
}
