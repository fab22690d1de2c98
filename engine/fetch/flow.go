package fetch

import (
	"context"
	"errors"
	"io"
	"sync"
)

var errEnded = errors.New("emitted after the end")

// flow is one attempt at a body between its pieces and the writer: the sink, and
// what the sink emitted until it is written. Pieces are passed in by one
// goroutine at a time, the one whose turn it is; next and free belong to the
// writer. Neither waits for the other: memory is accounted for, not fought for.
type flow struct {
	budget *Budget
	whole  bool // shown to the writer only when all of it is right
	emit   func(p []byte) error
	cancel context.CancelFunc // ends the fetching of what comes after a failure
	bell   chan struct{}      // rings when the writer should look

	coder   io.WriteCloser // belongs to the goroutine whose turn it is
	attempt int            // the one that failed, or the only one; set with done

	mu      sync.Mutex // guards what follows
	charged int64      // memory granted to this flow and not given back
	held    int64      // bytes of the chunks that it has
	out     [][]byte   // emitted, not yet taken by the writer
	taken   [][]byte   // with the writer; reused as the next out
	mute    bool       // what is emitted now is not wanted
	done    bool
	err     error
}

func newFlow(b *Budget, whole bool, cancel context.CancelFunc) *flow {
	f := &flow{budget: b, whole: whole, cancel: cancel, bell: make(chan struct{}, 1)}
	f.emit = f.store
	return f
}

// reset makes a flow that was written to its end, and so has no memory any more,
// ready for another body.
func (f *flow) reset() {
	f.out, f.taken = f.out[:0], f.taken[:0]
	f.mute, f.done, f.err = false, false, nil
}

// begin makes the sink of an attempt if there is none.
func (f *flow) begin(body *Body) {
	if f.coder == nil && body.Sink != nil {
		f.coder = body.Sink(f.emit)
	}
}

// pass sends chunks through the sink. They are given back in any case.
func (f *flow) pass(raw [][]byte) error {
	for k, chunk := range raw {
		if f.coder == nil {
			f.append(chunk)
			continue
		}
		_, err := f.coder.Write(chunk)
		f.free(chunk)
		if err != nil {
			f.freeAll(raw[k+1:])
			return err
		}
	}
	return nil
}

// close closes the sink, which says whether the bytes were right.
func (f *flow) close() error {
	if f.coder == nil {
		return nil
	}
	coder := f.coder
	f.coder = nil
	return coder.Close()
}

// append shows a chunk to the writer as it is.
func (f *flow) append(chunk []byte) {
	f.mu.Lock()
	f.out = append(f.out, chunk)
	f.ring()
	f.mu.Unlock()
}

// store is what a sink calls: it copies p to the end of what the writer will take.
func (f *flow) store(p []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mute {
		return errEnded
	}
	for len(p) > 0 {
		last := len(f.out) - 1
		if last < 0 || len(f.out[last]) == cap(f.out[last]) {
			f.out = append(f.out, f.budget.chunks.take())
			f.held += f.budget.chunk
			last++
		}
		chunk := f.out[last]
		n := copy(chunk[len(chunk):cap(chunk)], p)
		f.out[last] = chunk[:len(chunk)+n]
		p = p[n:]
	}
	f.ring()
	return nil
}

// ring tells the writer that there is something. mu is held.
func (f *flow) ring() {
	if f.whole && !f.done {
		return
	}
	select {
	case f.bell <- struct{}{}:
	default:
	}
}

// discard takes back an attempt: its sink is closed, what it emitted is dropped.
// The memory stays granted.
func (f *flow) discard() {
	f.mu.Lock()
	f.mute = true
	f.mu.Unlock()
	f.close() // its error is that of an attempt that has failed already
	f.mu.Lock()
	defer f.mu.Unlock()
	f.budget.chunks.putAll(f.out)
	f.held -= int64(len(f.out)) * f.budget.chunk
	f.out = f.out[:0]
	f.mute = false
}

// finish ends the flow: with err nil all of it is there and right.
func (f *flow) finish(attempt int, err error) {
	if err != nil {
		f.discard()
	}
	if f.cancel != nil {
		f.cancel()
	}
	f.mu.Lock()
	f.done, f.err, f.attempt = true, err, attempt
	f.balance()
	f.ring()
	f.mu.Unlock()
}

// over tells whether the flow has ended already, which means: before its last piece.
func (f *flow) over() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done
}

// next waits for what can be written. broken is why the flow failed, err why the
// run ends. The chunks are to be given to free, one by one, before the next call.
func (f *flow) next(ctx context.Context) (out [][]byte, done bool, broken, err error) {
	for {
		f.mu.Lock()
		if f.done || !f.whole && len(f.out) > 0 {
			f.out, f.taken = f.taken[:0], f.out
			out, done, broken = f.taken, f.done, f.err
			f.mu.Unlock()
			if broken != nil {
				err = ctx.Err()
			}
			return out, done, broken, err
		}
		f.mu.Unlock()
		select {
		case <-f.bell:
		case <-ctx.Done():
			return nil, false, nil, ctx.Err()
		}
	}
}
