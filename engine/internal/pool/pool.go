// Package pool runs tasks side by side, with workers for each registry, and functions once
// for each key.
package pool

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// bigBlob is the size from which a blob counts as big for the pool: below it a
// transfer is bound by latency, above it by bandwidth.
const bigBlob = 8 << 20

// Pool runs tasks with a few workers for each queue. A queue is a registry, so that a slow
// one delays no other. Workers start with the first task and end with the last. The registry
// client, not the pool, bounds the requests in flight.
type Pool struct {
	workers int // per queue
	group   *errgroup.Group
	ctx     context.Context

	mu     sync.Mutex // guards queues and their content
	queues map[string]*queue
}

type task struct {
	big bool
	run func(context.Context) error
}

// queue holds the tasks of one registry. While small tasks wait, big ones do not take all
// workers, and the reverse.
type queue struct {
	urgent         []task // taken before all others
	big, small     []task
	running, bulky int
}

// New returns a pool whose first error, or ctx, ends it.
func New(ctx context.Context, workers int) *Pool {
	group, ctx := errgroup.WithContext(ctx)
	return &Pool{workers: workers, group: group, ctx: ctx, queues: make(map[string]*queue)}
}

// Add queues a task. It does not block, and must not be called after Wait.
func (p *Pool) Add(name string, size int64, run func(context.Context) error) {
	p.put(name, func(q *queue) {
		if t := (task{size >= bigBlob, run}); t.big {
			q.big = append(q.big, t)
		} else {
			q.small = append(q.small, t)
		}
	})
}

// AddUrgent queues a task ahead of those that Add queued.
func (p *Pool) AddUrgent(name string, run func(context.Context) error) {
	p.put(name, func(q *queue) { q.urgent = append(q.urgent, task{run: run}) })
}

// put calls add with a queue, and starts a worker for it unless it has enough.
func (p *Pool) put(name string, add func(*queue)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.queues[name]
	if q == nil {
		q = &queue{}
		p.queues[name] = q
	}
	add(q)
	if q.running < p.workers {
		q.running++
		p.group.Go(func() error { return p.work(q) })
	}
}

// Aside runs a function that mostly waits: it occupies no worker, and may add tasks. It is
// called from a task.
func (p *Pool) Aside(run func(context.Context) error) {
	p.group.Go(func() error { return run(p.ctx) })
}

// Context returns the context of the pool's tasks, which ends with the first error.
func (p *Pool) Context() context.Context { return p.ctx }

// Fail ends the pool with an error.
func (p *Pool) Fail(err error) {
	p.group.Go(func() error { return err })
}

// Wait returns when every task is done, with the first error.
func (p *Pool) Wait() error { return p.group.Wait() }

func (p *Pool) work(q *queue) error {
	for {
		t, ok, err := p.next(q)
		if !ok {
			return err
		}
		if err := t.run(p.ctx); err != nil {
			return err
		}
		if t.big {
			p.mu.Lock()
			q.bulky--
			p.mu.Unlock()
		}
	}
}

// next takes a task: an urgent one, else a big one while big ones hold fewer than half
// of the workers, else a small one, else any. Its error says why tasks are left undone.
func (p *Pool) next(q *queue) (t task, ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	bigFirst := q.bulky < max(1, p.workers/2)
	if left := len(q.urgent) + len(q.big) + len(q.small); left == 0 || p.ctx.Err() != nil {
		q.running--
		if left > 0 {
			err = context.Cause(p.ctx)
		}
		return task{}, false, err
	}
	from := &q.small
	if len(q.urgent) > 0 {
		from = &q.urgent
	} else if len(q.big) > 0 && (bigFirst || len(q.small) == 0) {
		from = &q.big
		q.bulky++
	}
	t = (*from)[0]
	(*from)[0] = task{}
	*from = (*from)[1:]
	return t, true, nil
}
