package fetch

import (
	"context"
	"errors"
	"io"
)

// Windows writes one body to w, in order, with windows that are fetched side by
// side in b's memory. What was written once is never taken back: a window that
// fails is asked for again in the next attempt, and a source that gives no parts
// is read from the start, past what was written. body.Sink is not used; whether
// the bytes are right is for the caller to find out.
//
// Any number of calls may share b: each holds memory only for bytes that follow
// directly on what it has written, so none waits for another's.
func Windows(ctx context.Context, b *Budget, body Body, w io.Writer) error {
	if body.Size == 0 {
		return nil
	}
	body.Sink = nil
	r, out := newRun(b), &plain{w: w}
	attempt, err := r.side(ctx, &body, out)
	if errors.Is(err, ErrNoRange) && out.err == nil {
		err = r.rest(ctx, &body, attempt, out)
	}
	return err
}

// side fetches the windows side by side and returns the attempt that failed.
// All memory is given back before it returns: others have the same budget.
func (r *run) side(ctx context.Context, body *Body, out *plain) (int, error) {
	own, cancel := context.WithCancel(ctx)
	f := newFlow(r.budget, false, cancel)
	r.wg.Go(func() { r.windows(own, f, body) })
	broken, err := drain(ctx, 0, f, out)
	cancel()
	r.wg.Wait()
	f.discard()
	f.settle()
	if err == nil {
		err = broken
	}
	return f.attempt, err
}

// rest reads the body as a whole, past what has been written of it, with one
// chunk of memory.
func (r *run) rest(ctx context.Context, body *Body, attempt int, out *plain) error {
	charge, err := r.budget.acquire(ctx, r.budget.chunk)
	if err != nil {
		return err
	}
	defer r.budget.release(charge)
	chunk := r.budget.chunks.take()
	defer r.budget.chunks.put(chunk)
	var trouble error
	for ; attempt < body.attempts(); attempt++ {
		err = out.copyFrom(ctx, body, attempt, chunk[:cap(chunk)])
		if err == nil || out.err != nil || ctx.Err() != nil {
			return err
		}
		trouble = also(trouble, err)
	}
	return trouble
}

// plain is a Writer for one body: it counts and takes nothing back.
type plain struct {
	w       io.Writer
	written int64
	err     error // of w
}

func (p *plain) Begin(int) error         { return nil }
func (p *plain) End() error              { return nil }
func (p *plain) Rollback() error         { return nil }
func (p *plain) Failed(int, error) error { return nil }

func (p *plain) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.written += int64(n)
	p.err = err
	return n, err
}

// copyFrom makes one attempt at what is still missing.
func (p *plain) copyFrom(ctx context.Context, body *Body, attempt int, buf []byte) error {
	rc, err := body.Open(ctx, attempt, 0, body.Size)
	if err != nil {
		return err
	}
	defer rc.Close()
	for off := int64(0); off < body.Size; {
		n, err := io.ReadFull(rc, buf[:min(int64(len(buf)), body.Size-off)])
		if fresh := p.written - off; fresh < int64(n) {
			if _, err := p.Write(buf[fresh:n]); err != nil {
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
