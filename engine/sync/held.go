package sync

import (
	"container/list"
	"context"
	"io"
	"io/fs"
	"sync"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// held is a blob whose verified bytes are in memory while it is sent: one GET serves all
// targets, and it can be sent again.
type held struct {
	source *planSource
	blob   *graph.Blob

	mu      sync.Mutex    // guards data, loading, readers and retired
	data    [][]byte      // nil if it is not in memory
	loading chan struct{} // closed when the running fetch has ended; nil: none runs
	readers int
	retired bool // no other target will read it

	idle *list.Element // in memory.idle; guarded by memory.mu
}

func (h *held) Verified() bool { return true }

func (h *held) Open(ctx context.Context, r source.Reading) (io.ReadCloser, error) {
	data, err := h.take(ctx)
	if err != nil {
		return nil, err
	}
	return &heldReader{Counted: headway.Counted{Reader: &chunksReader{left: data}, Heard: r.Heard}, of: h}, nil
}

// heldReader reads a blob in memory, and releases it when it is closed.
type heldReader struct {
	headway.Counted
	of *held

	mu     sync.Mutex // guards closed: a running Read of net/http ends before the memory is reused
	closed bool
}

func (r *heldReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, fs.ErrClosed
	}
	return r.Counted.Read(p)
}

func (r *heldReader) Close() error {
	r.mu.Lock()
	closed := r.closed
	r.closed = true
	r.mu.Unlock()
	if !closed {
		r.of.give()
	}
	return nil
}

// take returns the bytes. It fetches them, or waits for the fetch of another caller.
func (h *held) take(ctx context.Context) ([][]byte, error) {
	for {
		h.mu.Lock()
		if h.data != nil {
			h.readers++
			h.mu.Unlock()
			return h.data, nil
		}
		loading := h.loading
		if loading == nil {
			h.loading = make(chan struct{})
		}
		h.mu.Unlock()
		if loading == nil {
			return h.fetch(ctx)
		}
		select {
		case <-loading:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// fetch loads the bytes, and ends the wait of other callers.
func (h *held) fetch(ctx context.Context) ([][]byte, error) {
	data, err := h.load(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.loading)
	h.loading = nil
	if err != nil {
		return nil, err
	}
	h.data = data
	h.readers++
	return data, nil
}

// load takes memory and fetches the blob: from another origin if one does not have it, and
// once more if its bytes were wrong.
func (h *held) load(ctx context.Context) ([][]byte, error) {
	charge := h.source.memory.charge(h.blob.Size)
	if err := h.source.memory.acquire(ctx, charge); err != nil {
		return nil, err
	}
	g, data := h.source.planner, h.source.memory.chunks.take(h.blob.Size)
	for attempt := 0; ; attempt++ {
		from := g.OriginOf(h.blob, attempt)
		err := readWhole(ctx, from, h.blob.Descriptor, data)
		if err == nil {
			return data, nil
		}
		err = h.source.recordFault(h.blob, from, err)
		if ctx.Err() != nil || !g.WorthRetry(h.blob, attempt, err) {
			h.source.memory.chunks.give(data)
			h.source.memory.release(charge)
			return nil, err
		}
	}
}

// readWhole reads a blob and verifies it.
func readWhole(ctx context.Context, from origin.Origin, d content.Descriptor, into [][]byte) error {
	hash := d.Digest.Algorithm().Hash()
	if d.Size > 0 {
		body, err := from.Blob(ctx, d.OCI(), 0, d.Size)
		if err != nil {
			return err
		}
		err = fill(into, body, func(b []byte) { hash.Write(b) })
		if e := body.Close(); err == nil {
			err = e
		}
		if err != nil {
			return err
		}
	}
	return content.CheckHash(d, hash)
}

// give ends the use of the bytes by one reader.
func (h *held) give() {
	h.mu.Lock()
	h.readers--
	idle, retired := h.readers == 0, h.retired
	h.mu.Unlock()
	if idle && (retired || !h.source.memory.keep(h)) {
		h.drop()
	}
}

// retire drops the bytes as soon as nothing reads them: no other target will.
func (h *held) retire() {
	h.mu.Lock()
	h.retired = true
	h.mu.Unlock()
	h.drop()
}

// drop frees the memory of the bytes, unless something reads them.
func (h *held) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readers > 0 || h.data == nil {
		return
	}
	h.source.memory.chunks.give(h.data)
	h.data = nil
	h.source.memory.forget(h)
	h.source.memory.release(h.source.memory.charge(h.blob.Size))
}
