package backup

import (
	"context"
	"errors"
	"io"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// resume continues the archive that an interrupted run left: it keeps the blobs that are whole,
// and the part of the one that was being written. It returns the number of blobs that are
// done.
func (w *archive) resume(ctx context.Context) (int, error) {
	var bytes int64
	n := 0
	for ; n < len(w.blobs); n++ {
		stored, err := w.out.Stored(w.blobs[n].OCI())
		if err != nil {
			return 0, written(err)
		}
		if !stored {
			break
		}
		bytes = bounds.Sum(bytes, w.blobs[n].Size)
		w.Progress.Moved(w.blobs[n].Size)
		w.finishBlob(w.blobs[n], nil)
		if err := context.Cause(ctx); err != nil {
			return 0, err
		}
	}
	if n == len(w.blobs) {
		return n, nil
	}
	head, err := w.finishTail(ctx, w.blobs[n])
	if bytes += head; bytes > 0 {
		w.Progress.Notice(engine.Resuming(w.out.PartialPath(), bytes))
	}
	if w.blobJob(w.blobs[n]).state == blobDone {
		n++
	}
	return n, err
}

// finishTail completes the blob that was being written, and returns the number of its bytes
// that were there. If that fails, it removes the part, and the blob is fetched like the others.
func (w *archive) finishTail(ctx context.Context, b *graph.Blob) (int64, error) {
	head, skip, err := w.out.Continue(b.OCI())
	if err != nil || head == nil {
		return 0, written(err)
	}
	emit := func(p []byte) error { _, err := w.out.Write(p); return written(err) }
	sink := w.sink(b, dropping(skip, emit))
	had, err := io.Copy(sink, head)
	if err = errors.Join(err, head.Close()); err == nil {
		w.advance(b.Key(), 0, had)
		err = w.complete(ctx, b, had, sink)
	}
	if err = errors.Join(err, sink.Close()); err == nil {
		if err := w.out.End(); err != nil {
			return 0, written(err)
		}
		w.finishBlob(b, nil)
		return had, nil
	}
	if engine.IsFatal(err) || ctx.Err() != nil {
		return 0, err
	}
	return 0, written(w.out.Rollback())
}

// complete fetches a blob from an offset.
func (w *archive) complete(ctx context.Context, b *graph.Blob, had int64, to io.Writer) error {
	from := w.planner.OriginOf(b, 0)
	open := func(ctx context.Context, _ int, off, n int64) (io.ReadCloser, error) {
		return w.openBlob(ctx, from, b.OCI(), had+off, n)
	}
	memory := fetch.NewBudget(fetch.Options{Budget: bounds.Room(w.Buffer, engine.LeastBuffer)})
	return fetch.Windows(ctx, memory, fetch.Body{Size: b.Size - had, Open: open, Attempts: 1}, to)
}

// dropping returns an emit function that drops the first skip bytes: the file has those.
func dropping(skip int64, emit func([]byte) error) func([]byte) error {
	return func(p []byte) error {
		dropped := min(skip, int64(len(p)))
		skip -= dropped
		if p = p[dropped:]; len(p) == 0 {
			return nil
		}
		return emit(p)
	}
}
