package backup

import (
	"cmp"
	"context"
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

func newDirectory(b *backup, c *registry.Client, selections []config.Selection, out randomOutput) *directory {
	d := &directory{backup: b, out: out, lastCommit: b.Now(), added: make(map[entryKey]bool), memory: sync.OnceValue(func() *fetch.Budget {
		return fetch.NewBudget(fetch.Options{Budget: bounds.Room(b.Buffer, engine.LeastBuffer)})
	})}
	b.output = out.Path()
	d.openDelta()
	b.plan(c, selections, d.cacheOf(out), nil)
	return d
}

func (d *directory) run(ctx context.Context) error {
	d.pool = pool.New(ctx, d.Concurrency)
	planErr := d.planner.Each(d.pool.Context(), d.addArtifact)
	if planErr == nil {
		d.planner.Seal()
		planErr = d.retryLater()
	}
	if planErr != nil {
		d.pool.Fail(planErr)
	}
	if err := d.pool.Wait(); err != nil {
		return err
	}
	if d.whole == 0 && len(d.planner.All) > 0 {
		return engine.ErrNothing
	}
	markMissing(d.out.Index(), d.planner.All, d.Shard)
	if err := cmp.Or(d.checkBase(ctx), d.markDelta(d.elsewhere())); err != nil {
		return err
	}
	if err := d.out.Commit(ctx); err != nil {
		return written(err)
	}
	d.committed = true
	if d.whole < len(d.planner.All) || d.Shard != nil {
		return nil
	}
	return written(d.out.Sweep()) // no run, also of another shard, will resume the unfinished blobs
}

// addArtifact queues the blobs of an artifact whose graph is known.
func (d *directory) addArtifact(a *plan.Artifact) error {
	if a.Err == nil {
		a.Err = d.claims.Claim(a)
	}
	j := d.job(a)
	if a.Err != nil {
		return d.fail(j)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	j.pending = 1 // this call, so that it cannot be finished before it is counted
	a.Visit.All(func(v *graph.Visit) {
		for _, b := range v.Blobs() {
			d.addBlob(j, b)
		}
	})
	return d.unblock(j)
}
