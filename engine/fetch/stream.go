package fetch

import (
	"context"
	"errors"
	"io"
)

// Windows writes one body to w, in order. It fetches the windows of the body
// concurrently, in b's memory. It never writes a byte twice: it requests a failed
// window again in the next attempt, and reads a source that does not support ranges
// from the start, past what was written. It does not use body.Sink; the caller has to
// verify the bytes.
//
// Any number of calls may share b: each holds memory only for bytes that directly
// follow those it has written, so none waits for another.
func Windows(ctx context.Context, b *Budget, body Body, w io.Writer) error {
	if body.Size == 0 {
		return nil
	}
	body.Sink = nil
	r, out := newRun(b), &countingWriter{w: w}
	attempt, err := r.streamWindows(ctx, &body, out)
	if errors.Is(err, ErrWholeOnly) && out.err == nil {
		err = r.streamRest(ctx, &body, attempt, out)
	}
	return err
}

// streamWindows fetches the windows concurrently and returns the attempt that failed.
// It gives all memory back before it returns: other calls share the budget.
func (r *run) streamWindows(ctx context.Context, body *Body, out *countingWriter) (int, error) {
	own, cancel := context.WithCancel(ctx)
	f := newFlow(r.budget, false, cancel)
	r.wg.Go(func() { r.windows(own, f, body) })
	broken, err := copyFlow(ctx, 0, f, out)
	cancel()
	r.wg.Wait()
	f.discard()
	f.settle()
	if err == nil {
		err = broken
	}
	return f.attempt, err
}

// streamRest reads the body as a whole, past the bytes that are written, with one chunk
// of memory.
func (r *run) streamRest(ctx context.Context, body *Body, attempt int, out *countingWriter) error {
	charge, err := r.budget.acquire(ctx, r.budget.chunk)
	if err != nil {
		return err
	}
	defer r.budget.release(charge)
	chunk := r.budget.chunks.take()
	defer r.budget.chunks.put(chunk)
	var errs error
	for ; attempt < body.attempts(); attempt++ {
		err = out.copyFrom(ctx, body, attempt, chunk[:cap(chunk)])
		if err == nil || out.err != nil || ctx.Err() != nil {
			return err
		}
		errs = addAttempt(errs, err)
	}
	return errs
}

// countingWriter is a Writer for one body. It counts the bytes and rolls nothing back.
type countingWriter struct {
	w       io.Writer
	written int64
	err     error // of w
}

func (p *countingWriter) Begin(int) error         { return nil }
func (p *countingWriter) End() error              { return nil }
func (p *countingWriter) Rollback() error         { return nil }
func (p *countingWriter) Failed(int, error) error { return nil }

func (p *countingWriter) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.written += int64(n)
	p.err = err
	return n, err
}

// copyFrom makes one attempt at the missing bytes.
func (p *countingWriter) copyFrom(ctx context.Context, body *Body, attempt int, buf []byte) error {
	rc, err := body.Open(ctx, attempt, 0, body.Size)
	if err != nil {
		return err
	}
	defer rc.Close()
	for off := int64(0); off < body.Size; {
		n, err := io.ReadFull(rc, buf[:min(int64(len(buf)), body.Size-off)])
		if skip := p.written - off; skip < int64(n) {
			if _, err := p.Write(buf[skip:n]); err != nil {
				return err
			}
		}
		off += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = &LengthError{Asked: body.Size, Got: off}
		}
		if err != nil {
			return err
		}
	}
	return (&piece{n: body.Size}).end(rc)
}
