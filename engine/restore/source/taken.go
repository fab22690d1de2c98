package source

import (
	"errors"
	"io"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// ErrAwaited says that a pipe has not brought a signature yet.
var ErrAwaited = errors.New("the signature is still to come")

// taken keeps the blobs of signatures that a pipe brings.
type taken struct {
	mu     sync.Mutex // guards what follows
	wanted map[digest.Digest]int64
	blobs  map[digest.Digest][]byte
	ended  bool // no more will come
}

func newTaken() *taken {
	return &taken{wanted: make(map[digest.Digest]int64), blobs: make(map[digest.Digest][]byte)}
}

// want notes that a blob is needed when it comes. It returns the blob if it came.
func (t *taken) want(d content.Descriptor) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if data, came := t.blobs[d.Digest]; came {
		return data, nil
	}
	if t.ended {
		return nil, &engine.MissingBlobError{Blob: d.Digest.String()}
	}
	t.wanted[d.Digest] = d.Size
	return nil, ErrAwaited
}

// take reads a blob of a signature from the pipe; nil if it is none.
func (t *taken) take(d digest.Digest, size int64, from io.Reader) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if want, ok := t.wanted[d]; !ok || want != size || t.blobs[d] != nil {
		return nil, nil
	}
	if err := bounds.Take(size); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(from, data); err != nil {
		return nil, err
	}
	t.blobs[d] = data
	return data, nil
}

func (t *taken) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}
