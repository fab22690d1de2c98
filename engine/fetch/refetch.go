package fetch

import "context"

// refetch fetches a large body again, with the memory of the reserve, while the writer
// waits for it: window by window or, if the source does not support ranges, as a stream
// that is read as fast as it is written.
func (r *run) refetch(ctx context.Context, reserve *Budget, body *Body, attempt int, parts bool) *flow {
	f := newFlow(reserve, false, nil)
	r.wg.Go(func() {
		var err error
		if parts {
			attempt, err = r.byWindows(ctx, f, body, attempt)
		} else {
			err = r.asStream(ctx, f, body, attempt)
		}
		if err == nil {
			err = f.close()
		}
		f.finish(attempt, err)
	})
	return f
}

// byWindows fetches the body window by window, and returns the attempt that failed.
// One window may need a later attempt than the others; attempt counts the attempts at
// the whole body.
func (r *run) byWindows(ctx context.Context, f *flow, body *Body, attempt int) (int, error) {
	p := piece{body: body}
	for ; p.off < body.Size; p.off += p.n {
		p.n = min(r.budget.window, body.Size-p.off)
		charge, err := f.budget.acquire(ctx, f.budget.part(p.n))
		if err != nil {
			return attempt, err
		}
		raw, failed, err := r.retry(ctx, &p, attempt)
		if err != nil {
			f.charge(charge, nil)
			return failed, err
		}
		if err = r.encode(f, body, charge, raw, false); err != nil {
			return attempt, err
		}
		f.settle()
	}
	return attempt, nil
}

// asStream makes the only kind of request that waits for the writer: there is no other
// way to fetch, in one piece, a body that is larger than the memory.
func (r *run) asStream(ctx context.Context, f *flow, body *Body, attempt int) error {
	rc, err := body.Open(ctx, attempt, 0, body.Size)
	if err != nil {
		return err
	}
	defer rc.Close()
	p := piece{body: body, n: body.Size}
	for off := int64(0); off < body.Size; {
		n := min(f.budget.chunk, body.Size-off)
		charge, err := f.budget.acquire(ctx, f.budget.part(n))
		if err != nil {
			return err
		}
		raw, err := r.fill(rc, off, n, nil)
		if err != nil {
			f.charge(charge, raw)
			f.freeAll(raw)
			return err
		}
		if err = r.encode(f, body, charge, raw, false); err != nil {
			return err
		}
		f.settle()
		off += n
	}
	return p.end(rc)
}
