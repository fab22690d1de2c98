package sync

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// maxAhead bounds the windows of one blob that are fetched ahead of the reader.
const maxAhead = 4

// windows reads a blob of a registry window by window. The current one comes straight from
// its response; the next ones are fetched ahead, each with a slot and memory of its own, as
// long as both are free.
type windows struct {
	ctx     context.Context // of all requests; it ends with Close
	cancel  context.CancelFunc
	from    *registry.Repository
	blob    content.Descriptor
	memory  *memory
	release func() // of the reader's slots

	off     int64          // the next byte
	current io.ReadCloser  // nil: none is open
	whole   bool           // the registry ignores Range, or the blob is one window
	ahead   []*ahead       // the windows behind the current one
	running sync.WaitGroup // the fetches ahead; Close waits for them

	mu     sync.Mutex // guards off, current, whole, ahead and closed: net/http may call Read and Close at once
	closed bool
}

// ahead is a window that is fetched before it is read.
type ahead struct {
	off, n int64
	buffer [][]byte
	done   chan struct{}
	err    error
}

func newWindows(ctx context.Context, from *registry.Repository, b content.Descriptor, m *memory, release func()) *windows {
	ctx, cancel := context.WithCancel(ctx)
	return &windows{ctx: ctx, cancel: cancel, from: from, blob: b, memory: m, release: release, whole: m.pieces(b.Size) == 1}
}

func (w *windows) Read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, fs.ErrClosed
	}
	for {
		if w.current == nil {
			if w.off == w.blob.Size {
				return 0, io.EOF
			}
			if err := w.open(); err != nil {
				return 0, err
			}
			w.fetchAhead()
		}
		n, err := w.current.Read(p)
		if w.off += int64(n); n > 0 {
			return n, nil
		}
		if err == nil {
			continue
		}
		closeErr := w.current.Close()
		w.current = nil
		if err != io.EOF {
			return 0, err
		}
		if closeErr != nil {
			return 0, closeErr
		}
	}
}

// open opens the next window.
func (w *windows) open() error {
	if len(w.ahead) > 0 {
		next := w.ahead[0]
		w.ahead = w.ahead[1:]
		select {
		case <-next.done:
		case <-w.ctx.Done():
			w.ahead = append([]*ahead{next}, w.ahead...) // Close gives its memory back
			return context.Cause(w.ctx)
		}
		if next.err == nil {
			w.current = &windowReader{chunksReader{left: next.buffer}, w.memory, next}
			return nil
		}
		w.memory.giveWindow(next.buffer)
	}
	if !w.whole {
		body, err := w.from.FetchBlob(w.ctx, w.blob.OCI(), w.off, min(window, w.blob.Size-w.off))
		if !errors.Is(err, transport.ErrNoRange) {
			w.current = body
			return err
		}
	}
	w.whole = true
	return w.openWhole()
}

// openWhole opens the blob from the start, and skips the bytes that were read.
func (w *windows) openWhole() error {
	body, err := w.from.FetchBlob(w.ctx, w.blob.OCI(), 0, w.blob.Size)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, body, w.off); err != nil {
		return errors.Join(err, body.Close())
	}
	w.current = body
	return nil
}

// fetchAhead starts to fetch the windows behind the current one.
func (w *windows) fetchAhead() {
	if w.whole {
		return
	}
	off := w.off/window*window + window
	if last := len(w.ahead) - 1; last >= 0 {
		off = w.ahead[last].off + window
	}
	for ; off < w.blob.Size && len(w.ahead) < maxAhead; off += window {
		n := min(window, w.blob.Size-off)
		buffer := w.memory.takeWindow(n)
		if buffer == nil {
			return
		}
		ctx, release, ok := w.from.TryRelay(w.ctx)
		if !ok {
			w.memory.giveWindow(buffer)
			return
		}
		a := &ahead{off: off, n: n, buffer: buffer, done: make(chan struct{})}
		w.ahead = append(w.ahead, a)
		w.running.Go(func() {
			defer close(a.done)
			defer release()
			a.err = a.read(ctx, w.from, w.blob)
		})
	}
}

func (a *ahead) read(ctx context.Context, from *registry.Repository, b content.Descriptor) error {
	body, err := from.FetchBlob(ctx, b.OCI(), a.off, a.n)
	if err != nil {
		return err
	}
	return errors.Join(fill(a.buffer, body, func([]byte) {}), body.Close())
}

// windowReader reads a window that was fetched ahead.
type windowReader struct {
	chunksReader
	memory *memory
	window *ahead
}

func (r *windowReader) Close() error {
	r.memory.giveWindow(r.window.buffer)
	return nil
}

// Close cancels the requests, and releases slots and memory.
func (w *windows) Close() error {
	w.cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	var err error
	if w.current != nil {
		err = w.current.Close()
		w.current = nil
	}
	w.running.Wait()
	for _, a := range w.ahead {
		w.memory.giveWindow(a.buffer)
	}
	w.release()
	return err
}
