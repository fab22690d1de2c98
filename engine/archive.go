package engine

import (
	"context"
	"errors"
	"hash"
	"io"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// archive backs up into a bundle: manifests in the order of the plan as they
// come, index.json, then every other blob, fetched ahead and written in order.
type archive struct {
	*backup
	out   *store.Archive
	blobs []*blob  // in the order in which they are written
	names []string // of the artifacts that they were first wanted for
	at    *blob    // the one that is being written
	lost  bool     // some blob is not among them any more, since no origin has it
}

func (w *archive) run(ctx context.Context, selections []config.Selection) error {
	if w.Previous != nil {
		w.planner.before = newLocal(w.Previous, "previous bundle")
		w.planner.near = append(w.planner.near, w.planner.before)
		w.slimPrevious()
	}
	if err := w.planner.each(ctx, selections, true, func(a *artifact) error { return w.take(ctx, a) }); err != nil {
		return err
	}
	w.planner.walked()
	w.claims.taken = nil
	w.planner.stored = func(string) (ocispec.Descriptor, bool) { return ocispec.Descriptor{}, false } // it is not asked again
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

// slimPrevious keeps of the index of the bundle that is replaced what the plan asks for.
func (w *archive) slimPrevious() {
	if l, ok := w.Previous.(interface{ ForgetIndex() }); ok {
		w.planner.stored = rememberNames(w.Previous.Index()).stored
		l.ForgetIndex()
	}
}

// take writes the manifests of an artifact and notes its blobs.
func (w *archive) take(ctx context.Context, a *artifact) error {
	if a.err == nil {
		a.err = w.claims.claim(a)
	}
	if a.err != nil {
		return w.failed(a)
	}
	var failed error
	a.visit.all(func(v *visit) {
		if failed == nil && a.err == nil {
			a.err, failed = w.takeNode(ctx, v)
		}
	})
	if failed != nil {
		return failed
	}
	if a.err != nil {
		return w.failed(a)
	}
	a.pending = 1
	a.visit.all(func(v *visit) {
		for _, b := range v.blobs() {
			w.want(a, b)
		}
	})
	w.release(a)
	return nil
}

// takeNode writes a manifest where it is first met. One that was too large to be
// kept is fetched once more; lost is why that failed.
func (w *archive) takeNode(ctx context.Context, v *visit) (lost, failed error) {
	n := v.node
	if n.data != nil {
		data := n.data
		n.data = nil
		w.planner.kept.Add(-int64(len(data)))
		return nil, written(w.out.PutManifest(n.oci(), data))
	}
	if !n.away {
		return nil, nil
	}
	ctx, done := w.planner.lane.Begin(ctx)
	defer done()
	data, err := v.origin.manifest(ctx, n.oci())
	if err != nil {
		return err, nil
	}
	n.away = false
	return nil, written(w.out.PutManifest(n.oci(), data))
}

// want makes an artifact wait for a blob, which gets its place in the archive
// where it is first met.
func (w *archive) want(a *artifact, b *blob) {
	if b.state == blobUnknown {
		b.state = blobQueued
		w.blobs, w.names = append(w.blobs, b), append(w.names, a.name)
		w.Progress.Expect(b.size)
	}
	b.waiting = append(b.waiting, a)
	a.pending++
}

// release takes back one reason for an artifact to wait.
func (w *archive) release(a *artifact) {
	if a.pending--; a.pending == 0 && a.visit.whole() == nil && a.visit.referring(func(*visit, string) {}) == nil {
		w.Progress.Finished(a.report())
	}
}

// done lets those go on who waited for a blob that is written, or given up.
func (w *archive) done(b *blob, err error) {
	b.state, b.err = blobDone, err
	if err == nil {
		w.headway.forget(b.key())
	} else {
		rest, _ := w.headway.giveUp(b.key())
		w.Progress.Expect(-rest)
	}
	for _, a := range b.waiting {
		w.release(a)
	}
	b.waiting = nil
}

// index makes index.json of the artifacts that are whole, or as far as is known.
func (w *archive) index() *store.Index {
	index := &store.Index{}
	for _, a := range w.planner.all {
		if a.visit != nil && (a.err == nil || isReferrers(a.err)) {
			a.err = nil
			w.finish(a, index.Put)
		}
	}
	markMissing(index, w.planner.all)
	return index
}

func isReferrers(err error) bool {
	var referrers *ReferrersError
	return errors.As(err, &referrers)
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
			w.Progress.Failed(a.report())
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
		a.done = a.err == nil
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
			return w.open(ctx, from, desc, off, n)
		},
		Sink: func(emit func([]byte) error) io.WriteCloser { return w.sink(b, emit) },
	}
}

func (w *archive) sink(b *blob, emit func([]byte) error) io.WriteCloser {
	return &sink{desc: b.descriptor, hash: b.digest.Algorithm().Hash(), encoder: w.out.Encoder(b.oci(), emit)}
}

// sink hashes a blob and encodes it.
type sink struct {
	desc    descriptor
	hash    hash.Hash
	encoder *bundle.Encoder
}

func (s *sink) Write(p []byte) (int, error) {
	s.hash.Write(p)
	return s.encoder.Write(p)
}

func (s *sink) Close() error {
	if err := s.encoder.Close(); err != nil {
		return err
	}
	return checkHash(s.desc, s.hash)
}

// tape is the archive as fetch writes to it, from its first blob on that an
// interrupted run has not left there.
type tape struct {
	*archive
	first int
}

func (w *tape) Begin(i int) error {
	w.at = w.blobs[w.first+i]
	return written(w.out.Begin(w.at.oci()))
}

func (w *tape) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	return n, written(err)
}

func (w *tape) End() error {
	if err := w.out.End(); err != nil {
		return written(err)
	}
	w.done(w.at, nil)
	return nil
}

func (w *tape) Rollback() error { return written(w.out.Rollback()) }

func (w *tape) Failed(i int, err error) error {
	b := w.blobs[w.first+i]
	w.done(b, &ArtifactError{Reference: w.planner.from(b, 0).repository() + "@" + b.digest.String(), Op: "fetch", Err: err})
	if w.FailFast {
		return err
	}
	return nil
}
