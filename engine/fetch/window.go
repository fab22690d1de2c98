package fetch

import (
	"context"
	"sync"
)

// window is one piece of a large body. Windows are fetched side by side; each
// waits for its turn and then passes its bytes through the sink itself.
type window struct {
	piece
	charge int64
	err    error           // no memory was granted
	gate   <-chan struct{} // open when the source has shown that it gives parts; nil for the first
	turn   <-chan struct{} // closed by the window before, whatever became of it
	next   chan struct{}
}

func (w *window) last() bool { return w.off+w.n == w.body.Size }

// windows starts the windows of a body, one by one as memory is granted, and
// returns when the last is on its way, or when the body has failed.
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

// window fetches one window and, at its turn, encodes it.
func (r *run) window(ctx context.Context, f *flow, w *window) {
	defer r.wg.Done()
	defer close(w.next)
	raw, attempt, err := r.fetchWindow(ctx, w)
	<-w.turn // the windows before end by themselves or with ctx
	switch {
	case f.over():
		r.budget.chunks.putAll(raw)
		r.budget.release(w.charge)
	case err != nil:
		f.take(w.charge, nil)
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

// fetchWindow reads a window once the first one has shown that parts can be had:
// a source without Range would send the whole body for each of them.
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
	return r.insist(ctx, &w.piece, 0)
}
