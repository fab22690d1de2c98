package engine

import (
	"context"
	"slices"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// ForecastRestore compares a layout with the targets and counts the requests and the bytes
// of a restore.
func ForecastRestore(ctx context.Context, c *registry.Client, in store.Layout, o RestoreOptions) (*Forecast, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	before := requests(c)
	counts := &counts{client: c, probed: make(map[string]bool)}
	r := newRun(c, o)
	r.survey.target = func(registry string, repo *registry.Repository) pushTarget {
		return &counting{repo: repo, registry: registry, counts: counts}
	}
	if err := r.prepare(ctx, newLayoutSource(in, o.Progress.Notice)); err != nil {
		return nil, err
	}
	if err := r.foresee(ctx); err != nil {
		return nil, err
	}
	f := &Forecast{Requests: requests(c) - before + counts.requests, Transfer: r.sent.bytes, Transfers: counts.blobs}
	r.tally(f)
	return f, nil
}

// foresee sends all blobs and manifests to the counting targets.
func (r *run) foresee(ctx context.Context) error {
	r.uploads.progress = Silent{}
	for _, one := range r.uploads.order {
		if err := r.uploads.transfer(ctx, one, r.source.Content(one.blob)); err != nil {
			return err
		}
		if err := one.recipients[0].err; err != nil {
			return err
		}
	}
	for _, d := range r.all {
		if d.err == nil && !d.found.skipped {
			d.err = r.pusher.push(ctx, d)
		}
	}
	return nil
}

func (r *run) tally(f *Forecast) {
	seen := make(map[partKey]bool)
	for _, d := range r.all {
		if d.parent != nil {
			continue
		}
		one := d.whole()
		out := Outlook{Name: d.name, Target: one.Target, Digest: one.Digest, MediaType: d.root.mediaType, Size: one.Bytes, Err: one.Err, State: d.state()}
		if d.isWalked() && (d.visit.isSparse() || len(d.old) > 0) {
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
			r.addParts(f, of, seen)
		}
		f.Artifacts = append(f.Artifacts, out)
	}
}

// addParts adds the parts of a delivery to a forecast. seen has those that were added.
func (r *run) addParts(f *Forecast, d *delivery, seen map[partKey]bool) {
	if !d.isWalked() {
		return
	}
	once := make(map[contentKey]bool)
	d.visit.all(func(v *visit) {
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
			if d.err == nil && !r.sent.taken[sentKey{d.target.Registry, part.digest}] { // of a target that cannot be asked nothing is known
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
	case d.found.present || d.found.changes:
		return StateChanged
	}
	return StateNew
}
