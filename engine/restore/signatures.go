package restore

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// check has the source check the root of a delivery. It reports whether the verdict has to wait.
func (r *run) check(ctx context.Context, c source.Checker, d *delivery, verdicts map[source.Key]verdict) (waits bool) {
	key := source.KeyOf(*d.From)
	v, known := verdicts[key]
	if !known {
		v.signedBy, v.err = c.Check(ctx, r.Trust, *d.From)
		verdicts[key] = v
	}
	switch {
	case v.err == source.ErrAwaited:
		return true
	case v.err != nil:
		d.Fault = unverified(d.Name, v.err)
	default:
		d.signedBy = v.signedBy
	}
	return false
}

// verdict is the decision about the signatures of a root.
type verdict struct {
	signedBy []string
	err      error
}

// checkAll checks the signatures of all deliveries, as far as they are there.
func (r *run) checkAll(ctx context.Context) error {
	c, is := r.source.(source.Checker)
	if !is || r.Trust == nil {
		return nil
	}
	verdicts := make(map[source.Key]verdict)
	for _, d := range r.all {
		if d.Fault == nil {
			d.unjudged = r.check(ctx, c, d, verdicts)
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	return nil
}

// conclude checks the signatures that a pipe has brought, and continues the deliveries that
// waited for them.
func (r *run) conclude(ctx context.Context) error {
	waiting := slices.DeleteFunc(slices.Clone(r.all), func(d *delivery) bool { return !d.unjudged })
	if len(waiting) == 0 {
		return nil
	}
	c, verdicts := r.source.(source.Checker), make(map[source.Key]verdict)
	for _, d := range waiting {
		if r.check(ctx, c, d, verdicts) {
			d.Fault = unverified(d.Name, &engine.UnsignedError{})
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	r.mu.Lock()
	started := r.started
	for _, d := range waiting {
		d.unjudged = false
	}
	r.mu.Unlock()
	if !started { // the source is going to be revised
		return nil
	}
	return r.start()
}

// checkDistant checks the artifacts of a sync in a dry run. A sync does that when it walks them.
func (r *run) checkDistant(ctx context.Context) error {
	far, is := r.source.(source.Distant)
	if !is {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * r.Concurrency)
	for _, d := range r.all {
		if d.Fault != nil || !d.Scope.HasPolicy() {
			continue
		}
		group.Go(func() error {
			v, err := far.Walk(ctx, d.From.Repository(), d.Root, d.Scope)
			if err != nil {
				err = far.Fault(err)
			} else if d.signedBy, err = far.SignedBy(ctx, v, d.Scope); err != nil {
				err = unverified(d.Name, err)
			}
			d.Fault = err
			return context.Cause(ctx)
		})
	}
	return group.Wait()
}
