package fetch

import (
	"context"
	"errors"
	"io"
	"sync"
)

var errEnded = errors.New("emitted after the end")

// flow is one attempt at a body, between its pieces and the writer: it holds the sink,
// and the bytes that the sink emitted until they are written. One goroutine at a time
// passes pieces in, the one whose turn it is; next and free belong to the writer.
// Neither waits for the other: the budget grants all memory in advance.
type flow struct {
	budget *Budget
	whole  bool // the writer gets it only when it is complete and verified
	emit   func(p []byte) error
	cancel context.CancelFunc // after a failure, stops the requests for later pieces
	bell   chan struct{}      // wakes the writer

	sink    io.WriteCloser // belongs to the goroutine whose turn it is
	attempt int            // the failed or the only one; set with done

	mu      sync.Mutex // guards what follows
	charged int64      // memory granted to this flow and not given back
	held    int64      // bytes of the chunks that it has
	out     [][]byte   // emitted, not yet taken by the writer
	taken   [][]byte   // with the writer; reused as the next out
	muted   bool       // emitted bytes are an error
	done    bool
	err     error
}

func newFlow(b *Budget, whole bool, cancel context.CancelFunc) *flow {
	f := &flow{budget: b, whole: whole, cancel: cancel, bell: make(chan struct{}, 1)}
	f.emit = f.store
	return f
}

// reset prepares a flow for another body. The flow has been written to its end, and so
// has no memory.
func (f *flow) reset() {
	f.out, f.taken = f.out[:0], f.taken[:0]
	f.muted, f.done, f.err = false, false, nil
}

// begin creates the sink of an attempt if there is none.
func (f *flow) begin(body *Body) {
	if f.sink == nil && body.Sink != nil {
		f.sink = body.Sink(f.emit)
	}
}

// pass writes chunks to the sink. It frees them in any case.
func (f *flow) pass(raw [][]byte) error {
	for k, chunk := range raw {
		if f.sink == nil {
			f.append(chunk)
			continue
		}
		_, err := f.sink.Write(chunk)
		f.free(chunk)
		if err != nil {
			f.freeAll(raw[k+1:])
			return err
		}
	}
	return nil
}

// close closes the sink. The error is non-nil if the bytes are wrong.
func (f *flow) close() error {
	if f.sink == nil {
		return nil
	}
	sink := f.sink
	f.sink = nil
	return sink.Close()
}

// append passes a chunk to the writer unchanged.
func (f *flow) append(chunk []byte) {
	f.mu.Lock()
	f.out = append(f.out, chunk)
	f.ring()
	f.mu.Unlock()
}

// store is the emit function of sinks: it appends a copy of p for the writer.
func (f *flow) store(p []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.muted {
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

// ring wakes the writer. The caller holds mu.
func (f *flow) ring() {
	if f.whole && !f.done {
		return
	}
	select {
	case f.bell <- struct{}{}:
	default:
	}
}

// discard discards an attempt: it closes the sink and drops what the sink emitted. The
// memory stays granted.
func (f *flow) discard() {
	f.mu.Lock()
	f.muted = true
	f.mu.Unlock()
	f.close() // the attempt has failed already
	f.mu.Lock()
	defer f.mu.Unlock()
	f.budget.chunks.putAll(f.out)
	f.held -= int64(len(f.out)) * f.budget.chunk
	f.out = f.out[:0]
	f.muted = false
}

// finish ends the flow. A nil err means that it is complete and verified.
func (f *flow) finish(attempt int, err error) {
	if err != nil {
		f.discard()
	}
	if f.cancel != nil {
		f.cancel()
	}
	f.mu.Lock()
	f.done, f.err, f.attempt = true, err, attempt
	f.settleLocked()
	f.ring()
	f.mu.Unlock()
}

// ended reports whether the flow has ended before its last piece.
func (f *flow) ended() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done
}

// next waits for chunks to write. broken is the error of the flow, err the error that
// ends the run. The caller frees the chunks, one by one, before the next call.
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
