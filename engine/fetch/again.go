package fetch

import "context"

// again fetches a large body once more, for the writer that stands at it, within
// the reserve: window by window or, where the source gives no parts, as a stream
// that is read as fast as it is written.
func (r *run) again(ctx context.Context, reserve *Budget, body *Body, attempt int, parts bool) *flow {
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

// byWindows returns the attempt that failed. One window may need a later attempt
// than the others; that of the body counts how often all of it was tried.
func (r *run) byWindows(ctx context.Context, f *flow, body *Body, attempt int) (int, error) {
	p := piece{body: body}
	for ; p.off < body.Size; p.off += p.n {
		p.n = min(r.budget.window, body.Size-p.off)
		charge, err := f.budget.acquire(ctx, f.budget.part(p.n))
		if err != nil {
			return attempt, err
		}
		raw, failed, err := r.insist(ctx, &p, attempt)
		if err != nil {
			f.take(charge, nil)
			return failed, err
		}
		if err = r.encode(f, body, charge, raw, false); err != nil {
			return attempt, err
		}
		f.settle()
	}
	return attempt, nil
}

// asStream is the one request that waits for the writer: there is no other way
// to take a body that is larger than the memory and comes in one piece.
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
			f.take(charge, raw)
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
