package fetch

import (
	"context"
	"sync"
)

// window is one piece of a large body. Windows are fetched concurrently; each waits
// for its turn and then passes its own bytes through the sink.
type window struct {
	piece
	charge int64
	err    error           // no memory was granted
	gate   <-chan struct{} // closed when the source has shown that it supports ranges; nil for the first
	turn   <-chan struct{} // closed by the previous window, whether it failed or not
	next   chan struct{}
}

func (w *window) last() bool { return w.off+w.n == w.body.Size }

// windows starts the windows of a body, one by one as memory is granted. It returns
// when the last is started, or when the body has failed.
func (r *run) windows(ctx context.Context, f *flow, body *Body) {
	gate, turn := make(chan struct{}), make(chan struct{})
	close(turn)
	opened := sync.OnceFunc(func() { close(gate) })
	for off := int64(0); off < body.Size; {
		w := &window{turn: turn, next: make(chan struct{})}
		w.piece = piece{body: body, off: off, n: min(r.budget.window, body.Size-off)}
		if off == 0 {
			w.opened = opened
		} else {
			w.gate = gate
		}
		w.charge, w.err = r.grant(ctx, r.budget.part(w.n))
		r.wg.Add(1)
		go r.window(ctx, f, w)
		if w.err != nil {
			return
		}
		off, turn = off+w.n, w.next
	}
}

// window fetches one window and, when it is its turn, encodes it.
func (r *run) window(ctx context.Context, f *flow, w *window) {
	defer r.wg.Done()
	defer close(w.next)
	raw, attempt, err := r.fetchWindow(ctx, w)
	<-w.turn // the previous windows end by themselves or with ctx
	switch {
	case f.ended():
		r.budget.chunks.putAll(raw)
		r.budget.release(w.charge)
	case err != nil:
		f.charge(w.charge, nil)
		f.finish(attempt, err)
	default:
		if err = r.encode(f, w.body, w.charge, raw, w.last()); err != nil || w.last() {
			f.finish(0, err)
		} else {
			f.settle()
		}
	}
	if w.err == nil {
		<-r.slots
	}
}

// fetchWindow reads a window after the first one has shown that the source supports
// ranges: one that does not would send the whole body for each window.
func (r *run) fetchWindow(ctx context.Context, w *window) ([][]byte, int, error) {
	if w.err != nil {
		return nil, 0, w.err
	}
	if w.gate != nil {
		select {
		case <-w.gate:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	return r.retry(ctx, &w.piece, 0)
}
