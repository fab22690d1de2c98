package exit

import (
	"context"
	"io"
)

// Reader reads until its context ends, even if the reader below it blocks: a read from a
// pipe or a terminal cannot be cancelled, only abandoned. It is not for concurrent use.
type Reader struct {
	ctx     context.Context
	from    io.Reader
	buffer  []byte    // of the read in flight
	done    chan read // receives the result of the read in flight
	waiting bool      // a read is in flight
	rest    []byte    // bytes read and not yet returned
	err     error     // returned after rest
}

// read is the result of one read.
type read struct {
	n   int
	err error
}

// readSize is large enough that passing a buffer between goroutines costs next to nothing.
const readSize = 256 << 10

// NewReader returns a reader of r that fails with the cause of ctx once ctx is done.
func NewReader(ctx context.Context, r io.Reader) *Reader {
	return &Reader{ctx: ctx, from: r, done: make(chan read, 1)}
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	if len(r.rest) == 0 && r.err == nil {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	if len(r.rest) == 0 && r.err != nil {
		return n, r.err
	}
	return n, nil
}

// fill waits for a read. The goroutine of a read ends with it, which may be after ctx.
func (r *Reader) fill() error {
	if r.buffer == nil {
		r.buffer = make([]byte, readSize)
	}
	if !r.waiting {
		r.waiting = true
		go func() {
			n, err := r.from.Read(r.buffer)
			r.done <- read{n, err}
		}()
	}
	select {
	case got := <-r.done:
		r.waiting, r.rest, r.err = false, r.buffer[:got.n], got.err
		return nil
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
}
