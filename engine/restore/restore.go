// Package restore pushes the artifacts of a source to registries. Routes say where each
// goes, a survey finds the parts that the targets lack, uploads bring the blobs, and a
// pusher puts the manifests behind them: children, manifests, lists of referrers, and the
// tag at the end. A forecast does the same with targets that count.
package restore

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore/route"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// Run pushes the artifacts of a layout or a pipe to the targets under mapped names.
// A target gets a tag only when its artifact is whole. The error is for the run as a whole:
// it was interrupted, two sources collide (before any byte moves), the input cannot be
// read, [engine.ErrNoArtifact] or [engine.ErrNothing]. An artifact that failed is in the
// report.
func Run(ctx context.Context, c *registry.Client, in store.Input, o engine.RestoreOptions) (*engine.Report, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return &engine.Report{}, err
	}
	began := o.Now()
	r := newRun(c, o)
	from, err := source.Open(ctx, in, o)
	if err == nil {
		err = r.run(ctx, from)
	}
	if err != nil {
		unfinished(ctx, r.all)
	}
	return r.report(o.Now().Sub(began)), err
}

// RunFrom is Run for any source.
func RunFrom(ctx context.Context, c *registry.Client, from source.Source, o engine.RestoreOptions) (*engine.Report, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return &engine.Report{}, err
	}
	began := o.Now()
	r := newRun(c, o)
	if err = r.run(ctx, from); err != nil {
		unfinished(ctx, r.all)
	}
	return r.report(o.Now().Sub(began)), err
}

// run is one restore: it routes the artifacts of a source to the targets, surveys what
// these lack, uploads the blobs and pushes the manifests.
type run struct {
	engine.RestoreOptions
	source   source.Source
	ledger   *ledger
	sent     *traffic
	survey   *survey
	uploads  *uploads
	pusher   *pusher
	readback *readback
	pool     *pool.Pool
	all      []*delivery
	planned  bool // all deliveries are known

	mu      sync.Mutex // guards started and held
	started bool       // the roots hold
	held    []*delivery
}

func newRun(c *registry.Client, o engine.RestoreOptions) *run {
	r := &run{RestoreOptions: o, sent: newTraffic(), ledger: &ledger{progress: o.Progress, failFast: o.FailFast, dryRun: o.DryRun}}
	pushing := bounds.NewLane()
	r.survey = &survey{verify: o.Verify, client: c, progress: o.Progress, workers: o.Concurrency, ledger: r.ledger,
		target: func(_ string, repo *registry.Repository) target { return &repository{repo, pushing} }}
	r.uploads = newUploads(o.Progress, r.sent)
	r.uploads.start, r.uploads.arrived, r.uploads.repository = r.start, r.arrived, c.Repository
	r.pusher = &pusher{workers: o.Concurrency, progress: o.Progress, sent: r.sent, uploads: r.uploads}
	r.readback = &readback{progress: o.Progress, pusher: r.pusher, lane: bounds.NewLane()}
	return r
}

// read gives a source to all parts of the run.
func (r *run) read(s source.Source) {
	r.source, r.survey.source, r.uploads.source, r.pusher.source = s, s, s, s
}

func (r *run) run(ctx context.Context, s source.Source) error {
	if err := r.prepare(ctx, s); err != nil || r.DryRun {
		return err
	}
	r.pool = pool.New(ctx, r.Concurrency)
	r.uploads.pool = r.pool
	if err := r.send(); err != nil {
		r.pool.Fail(err)
	}
	if err := r.pool.Wait(); err != nil {
		return err
	}
	if revised := s.Revised(); revised != nil {
		if err := r.revise(ctx, revised); err != nil {
			return err
		}
	}
	if r.ledger.whole == 0 && len(r.all) > 0 {
		return engine.ErrNothing
	}
	return nil
}

// prepare routes the artifacts and asks the targets for them.
func (r *run) prepare(ctx context.Context, s source.Source) error {
	r.read(s)
	r.survey.routes = route.New(s, r.RestoreOptions)
	if len(s.Roots()) == 0 {
		if r.survey.routes.IsDivided() { // the other shards have some
			r.planned = true
			return nil
		}
		return engine.ErrNoArtifact
	}
	routes, err := r.survey.routes.All()
	for _, one := range routes {
		r.all = append(r.all, &delivery{Route: one})
	}
	if err != nil {
		return err
	}
	r.planned = true
	if err := r.checkAll(ctx); err != nil {
		return err
	}
	if r.DryRun {
		return r.look(ctx)
	}
	r.Progress.Listed(len(r.all))
	if r.all, err = r.survey.run(ctx, r.all); err != nil {
		return err
	}
	for _, d := range r.all {
		if d.err == nil && !d.found.skipped {
			r.uploads.add(d)
		}
	}
	r.uploads.lenders = newLenders(r.source, r.RestoreOptions, r.uploads.order, r.all)
	return r.uploads.probeFresh(ctx, r.Concurrency)
}

// look does a dry run.
func (r *run) look(ctx context.Context) error {
	if err := r.checkDistant(ctx); err != nil {
		return err
	}
	for _, d := range r.all {
		d.err = d.Fault
	}
	if err := r.survey.glance(ctx, r.all); err != nil {
		return err
	}
	r.all = r.survey.adopt(r.all)
	for _, d := range r.all {
		r.ledger.noteOverwritten(d)
	}
	return r.tellLeft(ctx)
}

// send starts the deliveries that need no blob, and has the source send the blobs that
// the others need.
func (r *run) send() error {
	for _, d := range r.all {
		if d.err != nil || d.waits.pending > 0 {
			continue
		}
		if err := r.arrived(d, nil); err != nil {
			return err
		}
	}
	if err := r.source.Blobs(r.pool.Context(), r.uploads.wanted(), r.uploads); err != nil {
		return err
	}
	return r.conclude(r.pool.Context())
}

// start continues the deliveries that were held.
func (r *run) start() error {
	r.mu.Lock()
	held := r.held
	r.started, r.held = true, nil
	r.mu.Unlock()
	for _, d := range held {
		if err := r.arrived(d, d.waits.failure); err != nil {
			return err
		}
	}
	return nil
}

// isHeld holds a delivery while the source may still withdraw its root, or bring signatures.
func (r *run) isHeld(d *delivery) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := !r.started || d.unjudged
	if held {
		r.held = append(r.held, d)
	}
	return held
}

// arrived queues the manifests of a delivery whose blobs are all there, ahead of the
// blobs of others: the sooner an artifact is whole the better. Lists of referrers are
// completed aside, since a registry may take a while to show them.
func (r *run) arrived(d *delivery, failure error) error {
	if r.isHeld(d) {
		return nil
	}
	failure = cmp.Or(d.Fault, failure)
	if failure != nil || d.found.skipped || d.visit == nil {
		return r.ledger.record(r.pool.Context(), d, failure)
	}
	r.pool.AddUrgent(d.Target.Registry, func(ctx context.Context) error {
		err := r.pusher.pushManifests(ctx, d)
		if err != nil || len(listsOf(d, d.lacks)) == 0 {
			return r.complete(ctx, d, err)
		}
		r.pool.Aside(func(ctx context.Context) error {
			err := r.pusher.pushLists(ctx, d)
			r.pool.AddUrgent(d.Target.Registry, func(ctx context.Context) error { return r.complete(ctx, d, err) })
			return nil
		})
		return nil
	})
	return nil
}

// complete pushes the tag of a delivery whose other parts are there; err says why they
// are not.
func (r *run) complete(ctx context.Context, d *delivery, err error) error {
	if err == nil {
		err = r.pusher.pushTag(ctx, d)
	}
	var unlisted *registry.UnlistedError
	switch {
	case !r.Verify:
	case err == nil:
		err = r.readback.run(ctx, d)
	case errors.As(err, &unlisted): // that much was read back already
		err = &engine.ReadbackError{Reference: d.Destination(), Err: err}
	}
	if err == nil && d.short != nil {
		err = &engine.ReferrersError{Reference: d.Name, Err: d.short}
	}
	return r.ledger.record(ctx, d, err)
}
