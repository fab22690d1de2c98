package backup

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// errNoSuchSize says that a registry has no blob of the size that a manifest gives it.
var errNoSuchSize = errors.New("the blob does not have the size that its manifest gives")

// mostDoubts bounds how many sizes are asked for before a medium is called too small.
const mostDoubts = 64

// room fails before the first of the blobs from rest on is written, if the medium says
// that they cannot fit. Then the largest are asked for first: a manifest that gives a
// blob a false size must not keep other artifacts out.
func (w *archive) room(ctx context.Context, rest int) error {
	free, known := w.out.Free()
	if !known || w.need(rest) <= free {
		return nil
	}
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
		if w.need(rest) <= free {
			return nil
		}
	}
	return &engine.SpaceError{Need: w.need(rest), Free: free}
}

func (w *archive) need(rest int) (need int64) {
	for _, b := range w.blobs[rest:] {
		need = bounds.Sum(need, b.Size)
	}
	return need
}

// isThere reports whether a blob may be had with the size that it is to have: of what
// cannot be asked, it is believed.
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
