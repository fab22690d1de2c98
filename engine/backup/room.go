package backup

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// errNoSuchSize says that a registry has a blob in another size than a manifest gives.
var errNoSuchSize = errors.New("the blob does not have the size that its manifest gives")

// mostDoubts bounds the number of blobs whose size is checked before the medium is reported as
// too small.
const mostDoubts = 64

// announce announces the blobs to the output, which may not be able to take so much.
func (w *archive) announce(ctx context.Context) error {
	expect := func() error { return w.out.Expect(w.descriptors()) }
	tooMuch := expect()
	wrong, ok := errors.AsType[*parts.SizeError](tooMuch)
	switch {
	case !ok:
		return written(tooMuch)
	case wrong.Least > 0: // even without blobs
		return tooMuch
	}
	err := w.dropFalse(ctx, 0, func() bool { tooMuch = expect(); return tooMuch == nil })
	return cmp.Or(err, tooMuch)
}

// room returns an error if the blobs from rest on do not fit on the medium, before the first of
// them is written.
func (w *archive) room(ctx context.Context, rest int) error {
	free, known := w.out.Free()
	fits := func() bool { return !known || w.need(rest) <= free }
	if fits() {
		return nil
	}
	if err := w.dropFalse(ctx, rest, fits); err != nil || fits() {
		return err
	}
	return &engine.SpaceError{Need: w.need(rest), Free: free}
}

// dropFalse checks the sizes of the largest blobs from rest on and drops those that no origin
// has, until the others fit: a manifest with a false size must not keep other artifacts out.
func (w *archive) dropFalse(ctx context.Context, rest int, fits func() bool) error {
	large := slices.Clone(w.blobs[rest:])
	slices.SortStableFunc(large, func(a, b *graph.Blob) int { return cmp.Compare(b.Size, a.Size) })
	for _, b := range large[:min(len(large), mostDoubts)] {
		if w.isThere(ctx, b) {
			continue
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		w.drop(b)
		if fits() {
			return nil
		}
	}
	return nil
}

func (w *archive) need(rest int) (need int64) {
	for _, b := range w.blobs[rest:] {
		need = bounds.Sum(need, b.Size)
	}
	return need
}

// isThere reports whether an origin has a blob with the expected size. An origin that cannot be
// asked is believed.
func (w *archive) isThere(ctx context.Context, b *graph.Blob) bool {
	for i := range w.planner.CountOrigins(b) {
		if has, err := w.planner.OriginOf(b, i).HasBlob(ctx, b.OCI()); has || err != nil {
			return true
		}
	}
	return false
}

// drop gives up a blob before its turn.
func (w *archive) drop(b *graph.Blob) {
	at := slices.Index(w.blobs, b)
	w.blobs, w.names = slices.Delete(w.blobs, at, at+1), slices.Delete(w.names, at, at+1)
	w.lost = true
	w.Progress.Expect(-b.Size)
	w.finishBlob(b, &engine.ArtifactError{Reference: w.planner.OriginOf(b, 0).Repository() + "@" + b.Digest.String(), Op: "fetch", Err: errNoSuchSize})
}
