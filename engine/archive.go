package engine

import (
	"context"
	"errors"
	"io"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// archive backs up into a bundle: manifests in the order of the plan as they
// come, index.json, then every other blob, fetched ahead and written in order.
type archive struct {
	*backup
	out   orderedOutput
	cache *archiveCache
	blobs []*blob  // in the order in which they are written
	names []string // of the artifacts that they were first wanted for
	at    *blob    // the one that is being written
	lost  bool     // some blob is not among them any more, since no origin has it
}

func newArchive(b *backup, c *registry.Client, selections []config.Selection, out orderedOutput) *archive {
	w := &archive{backup: b, out: out, cache: newArchiveCache(b.Previous)}
	var before *local
	if b.Previous != nil {
		before = newLocal(b.Previous, "previous bundle")
	}
	b.plan(c, selections, w.cache, before)
	return w
}

func (w *archive) run(ctx context.Context) error {
	if err := w.planner.each(ctx, true, func(a *artifact) error { return w.addArtifact(ctx, a) }); err != nil {
		return err
	}
	w.planner.walked()
	w.claims.forget()
	w.cache.named = nil
	index := w.index()
	if len(index.Entries) == 0 && len(w.planner.all) > 0 {
		return errors.Join(ErrNothing, w.out.Abort())
	}
	if err := w.out.PutIndex(index); err != nil {
		return written(err)
	}
	rest, err := w.resume(ctx)
	if err != nil {
		return err
	}
	if err := w.room(ctx, rest); err != nil {
		return err
	}
	body := func(i int) fetch.Body { return w.body(rest + i) }
	if err := fetch.Ordered(ctx, fetch.Options{Budget: bounds.Room(w.Buffer, leastBuffer)}, len(w.blobs)-rest, body, &tape{w, rest}); err != nil {
		return err
	}
	return w.commit()
}

// addArtifact writes the manifests of an artifact and notes its blobs.
func (w *archive) addArtifact(ctx context.Context, a *artifact) error {
	if a.err == nil {
		a.err = w.claims.claim(a)
	}
	j := w.job(a)
	if a.err != nil {
		return w.fail(j)
	}
	var failed error
	a.visit.all(func(v *visit) {
		if failed == nil && a.err == nil {
			a.err, failed = w.planner.storeManifest(ctx, v, w.putManifest)
		}
	})
	if failed != nil {
		return failed
	}
	if a.err != nil {
		return w.fail(j)
	}
	j.pending = 1
	a.visit.all(func(v *visit) {
		for _, b := range v.blobs() {
			w.addBlob(j, b)
		}
	})
	w.unblock(j)
	return nil
}

func (w *archive) putManifest(desc ocispec.Descriptor, data []byte) error {
	return written(w.out.PutManifest(desc, data))
}

// addBlob makes an artifact wait for a blob, which gets its place in the archive
// where it is first met.
func (w *archive) addBlob(j *job, b *blob) {
	job := w.blobJob(b)
	if job.state == blobUnknown {
		job.state = blobQueued
		w.blobs, w.names = append(w.blobs, b), append(w.names, j.name)
		w.Progress.Expect(b.size)
	}
	job.waiting = append(job.waiting, j)
	j.pending++
}

// unblock takes back one reason for an artifact to wait.
func (w *archive) unblock(j *job) {
	if j.pending--; j.pending == 0 && j.visit.whole() == nil && j.visit.referring(func(*visit, string) {}) == nil {
		w.Progress.Finished(j.report())
	}
}

// finishBlob unblocks the artifacts that wait for a blob which is written or given up.
func (w *archive) finishBlob(b *blob, err error) {
	job := w.blobJob(b)
	job.state, b.err = blobDone, err
	if err == nil {
		w.headway.forget(b.key())
	} else {
		rest, _ := w.headway.giveUp(b.key())
		w.Progress.Expect(-rest)
	}
	for _, j := range job.waiting {
		w.unblock(j)
	}
	job.waiting = nil
}

// index makes index.json of the artifacts that are whole, or as far as is known.
func (w *archive) index() *store.Index {
	index := &store.Index{}
	for _, a := range w.planner.all {
		if a.visit != nil && (a.err == nil || isReferrers(a.err)) {
			a.err = nil
			w.job(a).putEntries(index.Put)
		}
	}
	markMissing(index, w.planner.all)
	return index
}

// commit puts the archive in place, with a second index.json if a blob failed.
func (w *archive) commit() error {
	index := w.index()
	if len(index.Entries) == 0 && len(w.planner.all) > 0 {
		return errors.Join(ErrNothing, w.out.Abort())
	}
	failures := 0
	for _, a := range w.planner.all {
		if a.err == nil {
			continue
		}
		failures++
		if a.visit != nil && a.visit.err == nil { // the others were told when they could not be resolved
			w.Progress.Failed(w.job(a).report())
		}
	}
	if w.lost || slices.ContainsFunc(w.blobs, func(b *blob) bool { return b.err != nil }) {
		if err := w.out.PutIndex(index); err != nil {
			return written(err)
		}
	}
	path, err := w.out.Commit(failures > 0)
	w.output, w.partial = path, failures > 0
	w.committed = err == nil
	for _, a := range w.planner.all {
		w.job(a).done = a.err == nil
	}
	return written(err)
}

// body is the i-th blob as fetch wants it.
func (w *archive) body(i int) fetch.Body {
	b := w.blobs[i]
	desc := b.oci()
	return fetch.Body{
		Size:     b.size,
		Attempts: max(2, len(b.origins)),
		Open: func(ctx context.Context, attempt int, off, n int64) (io.ReadCloser, error) {
			from := w.planner.from(b, attempt)
			w.Progress.Moving(w.names[i])
			return w.openBlob(ctx, from, desc, off, n)
		},
		Sink: func(emit func([]byte) error) io.WriteCloser { return w.sink(b, emit) },
	}
}
