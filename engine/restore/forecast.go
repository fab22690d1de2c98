package restore

import (
	"context"
	"slices"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// Forecast compares a layout with the targets and predicts the requests and the bytes of a
// restore.
func Forecast(ctx context.Context, c *registry.Client, in store.Layout, o engine.RestoreOptions) (*engine.Forecast, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return nil, err
	}
	from, err := source.Open(ctx, in, o)
	if err != nil {
		return nil, err
	}
	return ForecastFrom(ctx, c, from, o)
}

// ForecastFrom is Forecast for any source.
func ForecastFrom(ctx context.Context, c *registry.Client, from source.Source, o engine.RestoreOptions) (*engine.Forecast, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return nil, err
	}
	before := headway.Requests(c)
	counts := &counts{client: c, probed: make(map[string]bool), fetched: make(map[content.Key]bool)}
	r := newRun(c, o)
	r.survey.target = func(registry string, repo *registry.Repository) target {
		return &counting{repo: repo, registry: registry, counts: counts}
	}
	if err := r.prepare(ctx, from); err != nil {
		return nil, err
	}
	if err := r.countAll(ctx); err != nil {
		return nil, err
	}
	f := &engine.Forecast{Requests: headway.Requests(c) - before + counts.requests, Transfer: r.sent.bytes, Transfers: counts.blobs}
	r.addArtifacts(f)
	return f, nil
}

// countAll sends all blobs and manifests to the counting targets.
func (r *run) countAll(ctx context.Context) error {
	r.uploads.progress = engine.Silent{}
	for _, one := range r.uploads.order {
		if left := leftBy(r.source, one.blob); left != nil {
			if err := r.countBorrowed(ctx, one, left); err != nil {
				return err
			}
			continue
		}
		if err := r.uploads.transfer(ctx, one, r.source.Content(one.blob)); err != nil {
			return err
		}
		if err := one.recipients[0].err; err != nil {
			return err
		}
	}
	for _, d := range r.all {
		if d.err == nil && !d.found.skipped && d.visit != nil {
			d.err = r.pusher.push(ctx, d)
		}
	}
	return nil
}

// countBorrowed looks for a blob that is left to the base. What waits for it fails where it is
// not found.
func (r *run) countBorrowed(ctx context.Context, one *upload, left error) error {
	if err := r.uploads.borrow(ctx, one, left); err != nil {
		return err
	}
	for _, to := range one.recipients {
		for _, d := range to.waiting {
			if d.err == nil && to.err != nil && !d.waits.spared[one.digest] {
				d.err = to.err
			}
		}
	}
	return nil
}

// addArtifacts adds the artifacts and their bytes to a forecast.
func (r *run) addArtifacts(f *engine.Forecast) {
	seen := make(map[partKey]bool)
	loads := r.newLoads()
	for _, d := range r.all {
		if d.parent != nil {
			continue
		}
		one := d.outcome()
		out := engine.Outlook{Name: d.Name, Repository: d.Repository(), Target: one.Target, Mirror: one.Mirror, Digest: one.Digest, MediaType: d.Root.MediaType, Size: one.Bytes, Err: one.Err, State: d.state()}
		if d.isWalked() && (d.visit.IsSparse() || len(d.old) > 0) {
			out.Platforms, out.Rewritten = d.Scope.Platforms, len(d.old) > 0
		}
		out.Referrers = d.refers
		for _, b := range d.beside {
			out.Referrers = append(out.Referrers, b.Root.Digest)
			out.Referrers = append(out.Referrers, b.refers...)
		}
		slices.Sort(out.Referrers)
		out.Referrers = slices.Compact(out.Referrers)
		for _, of := range append([]*delivery{d}, d.beside...) {
			r.addParts(f, of, seen)
			r.addLoad(loads, of)
		}
		if r.Shard.IsAll() {
			out.Shard = r.Shard.OfTarget(d.Target, d.Path)
			loads.AddArtifact(out.Shard, out.Repository)
		}
		f.Artifacts = append(f.Artifacts, out)
	}
	f.Shards = loads.All
}

// newLoads returns the loads of all shards, if the forecast compares them.
func (r *run) newLoads() *shard.Loads[partKey] {
	if r.Shard.IsAll() {
		return shard.NewLoads[partKey](r.Shard.Count)
	}
	return shard.NewLoads[partKey](0)
}

// addLoad adds the parts of a delivery to the load of its shard, once for each registry.
func (r *run) addLoad(to *shard.Loads[partKey], d *delivery) {
	if !r.Shard.IsAll() || !d.isWalked() || d.err != nil {
		return
	}
	index := r.Shard.OfTarget(d.Target, d.Path)
	d.visit.All(func(v *graph.Visit) {
		for _, part := range v.Parts() {
			to.AddPart(index, partKey{d.Target.Registry, part.Key()}, part.Size)
		}
	})
}

// addParts adds the parts of a delivery to a forecast. seen has those that were added.
func (r *run) addParts(f *engine.Forecast, d *delivery, seen map[partKey]bool) {
	if !d.isWalked() {
		return
	}
	once := make(map[content.Key]bool)
	d.visit.Linked(func(v *graph.Visit) {
		for _, part := range v.Parts() {
			key := part.Key()
			if once[key] {
				continue
			}
			once[key] = true
			met := partKey{d.Target.Registry, key}
			if seen[met] {
				f.Shared = bounds.Sum(f.Shared, part.Size)
				continue
			}
			seen[met] = true
			f.Distinct = bounds.Sum(f.Distinct, part.Size)
			if d.err == nil && !r.sent.accepted[sentKey{d.Target.Registry, part.Digest}] { // a target that failed tells nothing
				f.There = bounds.Sum(f.There, part.Size)
			}
		}
	})
}
