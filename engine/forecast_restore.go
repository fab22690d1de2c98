package engine

import (
	"context"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// ForecastRestore compares a layout with the targets and stops before anything
// is sent.
func ForecastRestore(ctx context.Context, c *registry.Client, in store.Layout, o RestoreOptions) (*Forecast, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	before := requests(c)
	r := newRestore(c, o)
	r.dry = &dryRun{moves: make(map[moveKey]bool)}
	if err := r.prepare(ctx, in); err != nil {
		return nil, err
	}
	f := new(Forecast)
	if err := r.foresee(ctx, f); err != nil {
		return nil, err
	}
	f.Requests += requests(c) - before + r.dry.requests
	f.Transfer += r.dry.bytes
	return f, nil
}

// dryRun counts instead of pushing.
type dryRun struct {
	mu       sync.Mutex // guards what follows
	requests int
	bytes    int64
	moves    map[moveKey]bool // what would be pushed
}

// moveKey is a manifest or a blob on its way to a registry.
type moveKey struct {
	registry string
	digest   digest.Digest
}

func (d *dryRun) count(requests int, bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests += requests
	d.bytes += bytes
}

// push counts the push of a manifest.
func (d *dryRun) push(registry string, n *node) {
	d.count(1, n.size)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moves[moveKey{registry, n.digest}] = true
}

// foreseeList counts what it takes to complete a list of referrers: to read it, and
// where the target has no referrers API to put it and to read it again. A run that
// pushes learns from the answer to a push that there is the API; a forecast asks.
func (r *restore) foreseeList(ctx context.Context, d *delivery) error {
	r.dry.mu.Lock()
	defer r.dry.mu.Unlock()
	before := requests(r.client)
	api, err := d.repo.ReferrersAPI(ctx)
	if api {
		r.dry.requests -= requests(r.client) - before
		r.dry.requests++
	} else {
		r.dry.requests += 3
	}
	return err
}

// foresee does of a restore what changes nothing.
func (r *restore) foresee(ctx context.Context, f *Forecast) error {
	probed := make(map[string]bool)
	for _, u := range r.order {
		has, err := u.places[0].has(ctx, u.blob.oci())
		if err != nil {
			return err
		}
		f.Requests += len(u.places) - 1 // mounts
		if !has {
			f.Requests += 2 // POST and PUT
			f.Transfers++
			f.Transfer = bounds.Sum(f.Transfer, u.size)
			r.dry.moves[moveKey{u.registry, u.digest}] = true
			if r.isWorthProbing(u.registry) && !probed[u.registry] {
				probed[u.registry] = true
				f.Requests += registry.ProbeRequests
			}
		}
	}
	for _, d := range r.all {
		if d.err == nil && !d.skipped {
			d.err = r.put(ctx, d)
		}
	}
	r.tally(f)
	return nil
}

func (r *restore) tally(f *Forecast) {
	seen := make(map[partKey]bool)
	for _, d := range r.all {
		if d.parent != nil {
			continue
		}
		one := d.whole()
		out := Outlook{Name: d.name, Target: one.Target, Digest: one.Digest, MediaType: d.root.mediaType, Size: one.Bytes, Err: one.Err, State: d.state()}
		if d.visit != nil && d.visit.err == nil && (d.visit.isSparse() || len(d.old) > 0) {
			out.Platforms, out.Rewritten = d.scope.platforms, len(d.old) > 0
		}
		out.Referrers = d.refers
		for _, b := range d.beside {
			out.Referrers = append(out.Referrers, b.root.digest)
			out.Referrers = append(out.Referrers, b.refers...)
		}
		slices.Sort(out.Referrers)
		out.Referrers = slices.Compact(out.Referrers)
		for _, of := range append([]*delivery{d}, d.beside...) {
			r.meet(f, of, seen)
		}
		f.Artifacts = append(f.Artifacts, out)
	}
}

// meet adds what a delivery consists of to a forecast. seen knows what was met.
func (r *restore) meet(f *Forecast, d *delivery, seen map[partKey]bool) {
	if d.visit == nil || d.visit.err != nil {
		return
	}
	once := make(map[contentKey]bool)
	r.each(d, d.visit, func(v *visit) {
		for _, part := range v.parts() {
			key := part.key()
			if once[key] {
				continue
			}
			once[key] = true
			met := partKey{d.target.Registry, key}
			if seen[met] {
				f.Shared = bounds.Sum(f.Shared, part.size)
				continue
			}
			seen[met] = true
			f.Distinct = bounds.Sum(f.Distinct, part.size)
			if d.err == nil && !r.dry.moves[moveKey{d.target.Registry, part.digest}] { // of a target that cannot be asked nothing is known
				f.There = bounds.Sum(f.There, part.size)
			}
		}
	})
}

func (d *delivery) state() State {
	switch {
	case d.err != nil || slices.ContainsFunc(d.beside, func(b *delivery) bool { return b.err != nil }):
		return StateFailed
	case d.unchanged() && !slices.ContainsFunc(d.beside, func(b *delivery) bool { return !b.unchanged() }):
		return StateUnchanged
	case d.present || d.changes:
		return StateChanged
	}
	return StateNew
}
