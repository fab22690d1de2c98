package fetch

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
)

// run holds what the pieces of one call share.
type run struct {
	budget *Budget
	slots  chan struct{} // one is taken for each piece that has memory
	sinks  chan struct{} // one is taken while a piece goes through its sink
	wg     sync.WaitGroup
}

// newRun limits the sinks that work at once to the number of processors: sinks only
// compute, so more of them would be no faster and would hold more chunks.
func newRun(b *Budget) *run {
	return &run{
		budget: b,
		slots:  make(chan struct{}, b.ahead),
		sinks:  make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
}

// grant waits until a piece may be fetched: for a slot, then for memory.
func (r *run) grant(ctx context.Context, n int64) (charge int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	charge, err = r.budget.acquire(ctx, n)
	if err != nil {
		<-r.slots
	}
	return charge, err
}

// piece is a part of a body for which memory has been granted.
type piece struct {
	body   *Body
	off, n int64
	opened func() // called when the source has responded; may be nil
	extra  [1]byte
}

// read requests the piece once. On an error it holds no chunk.
func (r *run) read(ctx context.Context, p *piece, attempt int, raw [][]byte) ([][]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rc, err := p.body.Open(ctx, attempt, p.off, p.n)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	if p.opened != nil {
		p.opened()
	}
	if raw, err = r.fill(rc, p.off, p.n, raw); err == nil {
		err = p.end(rc)
	}
	if err != nil {
		r.budget.chunks.putAll(raw)
		return nil, err
	}
	return raw, nil
}

// fill reads n bytes into chunks. It returns the chunks that it took even on an error.
func (r *run) fill(rc io.Reader, off, n int64, raw [][]byte) ([][]byte, error) {
	for left := n; left > 0; {
		chunk := r.budget.chunks.take()
		got, err := io.ReadFull(rc, chunk[:min(left, r.budget.chunk)])
		raw = append(raw, chunk[:got])
		left -= int64(got)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = &LengthError{Offset: off, Asked: n, Got: n - left}
		}
		if err != nil {
			return raw, err
		}
	}
	return raw, nil
}

// end checks that the response ends here: only then can its connection be reused, and
// a source that sends more has sent something else.
func (p *piece) end(rc io.Reader) error {
	switch n, err := io.ReadFull(rc, p.extra[:]); {
	case n > 0:
		return &LengthError{Offset: p.off, Asked: p.n, Got: p.n + 1}
	case err != io.EOF:
		return err
	}
	return nil
}

// retry reads the piece, attempt by attempt, into the memory that it has, so that one
// bad part of a long body does not cost the parts before it. It returns the number of
// the last attempt.
func (r *run) retry(ctx context.Context, p *piece, attempt int) ([][]byte, int, error) {
	var errs error
	for ; ; attempt++ {
		raw, err := r.read(ctx, p, attempt, nil)
		if err == nil {
			return raw, attempt, nil
		}
		errs = addAttempt(errs, err)
		if attempt+1 >= p.body.attempts() || errors.Is(err, ErrWholeOnly) {
			return nil, attempt, errs
		}
	}
}

// encode passes chunks through the sink of f, and closes the sink after the last piece.
func (r *run) encode(f *flow, body *Body, charge int64, raw [][]byte, last bool) error {
	f.charge(charge, raw)
	r.sinks <- struct{}{}
	defer func() { <-r.sinks }()
	f.begin(body)
	err := f.pass(raw)
	if err == nil && last {
		err = f.close()
	}
	return err
}
