package engine

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
)

// bigBlob is the size from which a blob counts as big for the pool: below it a
// transfer is bound by latency, above it by bandwidth.
const bigBlob = 8 << 20

// pool runs jobs with a few workers for each queue. A queue is a registry, so
// that one that is slow keeps no other waiting. Workers come with the first job
// and go with the last. How many requests are in flight is not the pool's
// concern but the registry client's.
type pool struct {
	workers int // per queue
	group   *errgroup.Group
	ctx     context.Context

	mu     sync.Mutex // guards queues and all that is in them
	queues map[string]*queue
}

type job struct {
	big bool
	run func(context.Context) error
}

// queue holds the jobs of one registry. Big ones may not take all workers while
// small ones wait, and small ones never all while big ones do.
type queue struct {
	urgent         []job // taken before all others
	big, small     []job
	running, bulky int
}

// newPool returns a pool whose first error, or ctx, ends it.
func newPool(ctx context.Context, workers int) *pool {
	group, ctx := errgroup.WithContext(ctx)
	return &pool{workers: workers, group: group, ctx: ctx, queues: make(map[string]*queue)}
}

// add queues a job. It does not block, and must not be called once wait is.
func (p *pool) add(name string, size int64, run func(context.Context) error) {
	p.put(name, func(q *queue) {
		if j := (job{size >= bigBlob, run}); j.big {
			q.big = append(q.big, j)
		} else {
			q.small = append(q.small, j)
		}
	})
}

// addUrgent queues a job ahead of all that add has queued.
func (p *pool) addUrgent(name string, run func(context.Context) error) {
	p.put(name, func(q *queue) { q.urgent = append(q.urgent, job{run: run}) })
}

// put lets add to a queue, and sees to it that it has workers.
func (p *pool) put(name string, add func(*queue)) {
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

// aside runs what mostly waits: no worker is kept for it, and it may add jobs. It is
// called from a job.
func (p *pool) aside(run func(context.Context) error) {
	p.group.Go(func() error { return run(p.ctx) })
}

// wait returns when every job is done, with the first error.
func (p *pool) wait() error { return p.group.Wait() }

func (p *pool) work(q *queue) error {
	for {
		j, ok, err := p.next(q)
		if !ok {
			return err
		}
		if err := j.run(p.ctx); err != nil {
			return err
		}
		if j.big {
			p.mu.Lock()
			q.bulky--
			p.mu.Unlock()
		}
	}
}

// next takes a job: an urgent one, else a big one while big ones hold fewer than half
// of the workers, else a small one, else what there is. Its error says why there are
// jobs that will not be done.
func (p *pool) next(q *queue) (j job, ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	bigFirst := q.bulky < max(1, p.workers/2)
	if left := len(q.urgent) + len(q.big) + len(q.small); left == 0 || p.ctx.Err() != nil {
		q.running--
		if left > 0 {
			err = context.Cause(p.ctx)
		}
		return job{}, false, err
	}
	from := &q.small
	if len(q.urgent) > 0 {
		from = &q.urgent
	} else if len(q.big) > 0 && (bigFirst || len(q.small) == 0) {
		from = &q.big
		q.bulky++
	}
	j = (*from)[0]
	(*from)[0] = job{}
	*from = (*from)[1:]
	return j, true, nil
}
