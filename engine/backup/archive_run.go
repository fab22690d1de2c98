package backup

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

func newArchive(b *backup, c *registry.Client, selections []config.Selection, out orderedOutput) *archive {
	w := &archive{backup: b, out: out, cache: newArchiveCache(b.Previous)}
	var before *origin.Local
	if b.Previous != nil {
		before = origin.NewLocal(b.Previous, "previous bundle")
	}
	b.plan(c, selections, w.cache, before)
	return w
}

func (w *archive) run(ctx context.Context) error {
	if err := w.planner.EachInOrder(ctx, func(a *plan.Artifact) error { return w.addArtifact(ctx, a) }); err != nil {
		return err
	}
	w.planner.Seal()
	w.claims.Forget()
	w.cache.named = nil
	index := w.index()
	if len(index.Entries) == 0 && len(w.planner.All) > 0 {
		return errors.Join(engine.ErrNothing, w.out.Abort())
	}
	if err := w.markDelta(index, w.putManifest); err != nil {
		return err
	}
	if err := w.out.PutIndex(index); err != nil {
		return written(err)
	}
	if err := w.announce(ctx); err != nil {
		return err
	}
	rest, err := w.resume(ctx)
	if err != nil {
		return err
	}
	if err := w.room(ctx, rest); err != nil {
		return err
	}
	body := func(i int) fetch.Body { return w.body(rest + i) }
	if err := fetch.Ordered(ctx, fetch.Options{Budget: bounds.Room(w.Buffer, engine.LeastBuffer)}, len(w.blobs)-rest, body, &tape{w, rest}); err != nil {
		return err
	}
	return w.commit(ctx)
}

// addArtifact writes the manifests of an artifact and notes its blobs.
func (w *archive) addArtifact(ctx context.Context, a *plan.Artifact) error {
	if a.Err == nil {
		a.Err = w.claims.Claim(a)
	}
	j := w.job(a)
	if a.Err != nil {
		return w.fail(j)
	}
	var failed error
	a.Visit.All(func(v *graph.Visit) {
		if failed == nil && a.Err == nil {
			a.Err, failed = w.planner.StoreManifest(ctx, v, w.putManifest)
		}
	})
	if failed != nil {
		return failed
	}
	if a.Err != nil {
		return w.fail(j)
	}
	j.pending = 1
	a.Visit.All(func(v *graph.Visit) {
		for _, b := range v.Blobs() {
			w.addBlob(j, b)
		}
	})
	w.unblock(j)
	return nil
}

// addBlob makes an artifact wait for a blob. The first artifact decides the blob's place in
// the archive.
func (w *archive) addBlob(j *job, b *graph.Blob) {
	job := w.blobJob(b)
	if w.leaves(b, job) {
		return
	}
	if job.state == blobUnknown {
		job.state = blobQueued
		w.blobs, w.names = append(w.blobs, b), append(w.names, j.Name)
		w.Progress.Expect(b.Size)
	}
	job.waiting = append(job.waiting, j)
	j.pending++
}

// index returns the index.json of the artifacts that are whole, as far as is known.
func (w *archive) index() *oci.Index {
	index := &oci.Index{}
	for _, a := range w.planner.All {
		if a.Visit != nil && (a.Err == nil || isReferrers(a.Err)) {
			a.Err = nil
			w.job(a).putEntries(index.Put)
		}
	}
	markMissing(index, w.planner.All, w.Shard)
	return index
}

// commit puts the archive in place, with a second index.json if a blob failed.
func (w *archive) commit(ctx context.Context) error {
	index := w.index()
	if len(index.Entries) == 0 && len(w.planner.All) > 0 {
		return errors.Join(engine.ErrNothing, w.out.Abort())
	}
	if err := cmp.Or(w.markDelta(index, w.putManifest), w.checkBase(ctx)); err != nil {
		return err
	}
	failures := 0
	for _, a := range w.planner.All {
		if a.Err == nil {
			continue
		}
		failures++
		if a.Visit != nil && a.Visit.Err == nil { // the others were told when they could not be resolved
			w.Progress.Failed(w.job(a).report())
		}
	}
	if w.lost || slices.ContainsFunc(w.blobs, func(b *graph.Blob) bool { return b.Err != nil }) {
		if err := w.out.PutIndex(index); err != nil {
			return written(err)
		}
	}
	path, err := w.out.Commit(failures > 0)
	w.output, w.partial = path, failures > 0
	w.committed = err == nil
	for _, p := range w.out.Written() {
		w.parts = append(w.parts, engine.Part(p))
	}
	for _, a := range w.planner.All {
		w.job(a).done = a.Err == nil
	}
	return written(err)
}

// body returns the i-th blob in the form that fetch takes.
func (w *archive) body(i int) fetch.Body {
	b := w.blobs[i]
	desc := b.OCI()
	return fetch.Body{
		Size:     b.Size,
		Attempts: max(2, w.planner.CountOrigins(b)),
		Open: func(ctx context.Context, attempt int, off, n int64) (io.ReadCloser, error) {
			from := w.planner.OriginOf(b, attempt)
			w.Progress.Moving(w.names[i])
			return w.openBlob(ctx, from, desc, off, n)
		},
		Sink: func(emit func([]byte) error) io.WriteCloser { return w.sink(b, emit) },
	}
}
