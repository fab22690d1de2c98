package backup

import (
	"context"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/store"
)

// takeManifests adds the manifests of an artifact to the parts of a bundle, which may be nil, and
// frees them.
func (b *backup) takeManifests(ctx context.Context, a *plan.Artifact, parts *store.PartsPlan) (failed error) {
	if a.Visit == nil {
		return nil
	}
	a.Visit.All(func(v *graph.Visit) {
		if parts != nil && failed == nil && a.Err == nil {
			a.Err, failed = b.planner.StoreManifest(ctx, v, parts.PutManifest)
		}
		v.Node.Drop()
	})
	return failed
}

// divide forecasts the parts of a bundle: their number and the space for them.
func (b *backup) divide(f *engine.Forecast, parts *store.PartsPlan) error {
	w := &archive{backup: b}
	for _, a := range b.planner.All {
		if a.Err == nil {
			a.Visit.All(w.queue)
		}
	}
	index := w.index()
	if len(index.Entries) == 0 && len(b.planner.All) > 0 {
		return nil // a backup writes nothing
	}
	if err := w.markDelta(index, parts.PutManifest); err != nil {
		return err
	}
	if err := parts.Divide(index, w.descriptors()); err != nil {
		return err
	}
	f.Files, f.Needed = parts.Count(), parts.Needed()
	return nil
}

// queue adds the blobs of a manifest that no manifest before it has.
func (w *archive) queue(v *graph.Visit) {
	for _, b := range v.Blobs() {
		if job := w.blobJob(b); !w.leaves(b, job) && job.state == blobUnknown {
			job.state = blobQueued
			w.blobs = append(w.blobs, b)
		}
	}
}
