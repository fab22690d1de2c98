package fetch

import (
	"context"
	"errors"
	"sync"
)

// Ordered fetches the bodies 0 to n-1 and writes them to w in that order. It calls
// body once for each, in order, from one goroutine, shortly before the body gets its
// memory; it calls w from the goroutine of the caller.
//
// For a body that cannot be fetched it calls w.Failed and goes on. It returns the
// first error of w, or the error of ctx; w may then have begun a body and not ended
// it. When it returns, all its goroutines have ended and every reader is closed.
func Ordered(ctx context.Context, o Options, n int, body func(i int) Body, w Writer) error {
	return newQueue(NewBudget(o), w).write(ctx, n, body)
}

// queue holds the jobs of a file that is being written, in order.
type queue struct {
	*run
	reserve *Budget // for the body that the writer waits for
	writer  Writer
	jobs    chan *job
	idle    sync.Pool // of *job, for bodies in one piece
}

func newQueue(b *Budget, w Writer) *queue {
	q := &queue{reserve: b.reserveWindow(), run: newRun(b), writer: w}
	q.jobs = make(chan *job, min(b.ahead, defaultAhead))
	q.idle.New = func() any { return &job{flow: newFlow(b, true, nil)} }
	return q
}

func (q *queue) write(ctx context.Context, n int, body func(i int) Body) error {
	ctx, cancel := context.WithCancel(ctx)
	defer q.wg.Wait()
	defer cancel()
	q.wg.Go(func() { q.dispatch(ctx, n, body) })
	for range n {
		select {
		case j := <-q.jobs:
			if err := q.deliver(ctx, j); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// dispatch starts the bodies in order, each as soon as there is memory for it. It
// announces a body to the writer before that: the writer may have to free the memory.
func (q *queue) dispatch(ctx context.Context, n int, body func(i int) Body) {
	for i := range n {
		b := body(i)
		start := q.startWhole
		if b.Size > q.budget.large {
			start = q.startWindows
		}
		if !start(ctx, i, b) {
			return
		}
	}
}

func (q *queue) startWhole(ctx context.Context, i int, b Body) bool {
	j := q.idle.Get().(*job)
	j.i, j.body = i, b
	if !q.announce(ctx, j) {
		return false
	}
	charge, err := q.grant(ctx, q.budget.whole(b.Size))
	if err != nil {
		return false
	}
	q.wg.Add(1)
	go q.whole(ctx, j, charge)
	return true
}

func (q *queue) startWindows(ctx context.Context, i int, b Body) bool {
	own, cancel := context.WithCancel(ctx)
	j := &job{i: i, body: b, flow: newFlow(q.budget, false, cancel)}
	if !q.announce(ctx, j) {
		cancel()
		return false
	}
	q.windows(own, j.flow, &j.body)
	return ctx.Err() == nil
}

func (q *queue) announce(ctx context.Context, j *job) bool {
	select {
	case q.jobs <- j:
		return true
	case <-ctx.Done():
		return false
	}
}

// deliver writes a body, or reports it as failed after the last attempt.
func (q *queue) deliver(ctx context.Context, j *job) error {
	broken, err := copyFlow(ctx, j.i, j.flow, q.writer)
	if err != nil {
		return err
	}
	if !j.isWhole() {
		return q.retryLarge(ctx, j, broken)
	}
	if broken != nil {
		err = q.writer.Failed(j.i, broken)
	}
	<-q.slots
	j.body = Body{}
	j.flow.reset()
	q.idle.Put(j)
	return err
}

// retryLarge makes further attempts at a large body that failed.
func (q *queue) retryLarge(ctx context.Context, j *job, broken error) error {
	var errs error
	parts := true
	for f := j.flow; broken != nil; {
		attempt := f.attempt + 1
		if parts && errors.Is(broken, ErrWholeOnly) {
			parts, attempt = false, f.attempt
		} else {
			errs = addAttempt(errs, broken)
		}
		if attempt >= j.body.attempts() {
			return q.writer.Failed(j.i, errs)
		}
		f = q.refetch(ctx, q.reserve, &j.body, attempt, parts)
		var err error
		if broken, err = copyFlow(ctx, j.i, f, q.writer); err != nil {
			return err
		}
	}
	return nil
}

// copyFlow writes a flow to w as it arrives. broken is the error of the body, which
// then has been rolled back; err is the error that ends the run.
func copyFlow(ctx context.Context, i int, f *flow, w Writer) (broken, err error) {
	for begun := false; ; {
		out, done, broken, err := f.next(ctx)
		if err != nil {
			return nil, err
		}
		if broken != nil {
			if begun {
				err = w.Rollback()
			}
			return broken, err
		}
		if !begun {
			if err = w.Begin(i); err != nil {
				return nil, err
			}
			begun = true
		}
		if err = writeAll(f, out, w); err != nil {
			return nil, err
		}
		if done {
			return nil, w.End()
		}
	}
}

func writeAll(f *flow, out [][]byte, w Writer) error {
	var err error
	for _, chunk := range out {
		if err == nil {
			_, err = w.Write(chunk)
		}
		f.free(chunk)
	}
	f.settle()
	return err
}
