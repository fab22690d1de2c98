package store

import (
	"bytes"
	"compress/flate"
	"io"
	"io/fs"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// maxHeld bounds the memory for the manifests of a stream, packed. Those of
// 100,000 images take 60 MB.
const maxHeld = 128 << 20

// heldMemory is what is kept of a manifest beside its bytes, and of a child of an
// index.
const heldMemory = 200

// held keeps the manifests of a stream until they are asked for. They are packed:
// 100,000 images have 200 MB of them. Adding is for one goroutine, before the
// first call of get; get may be called concurrently.
type held struct {
	packed  map[digest.Digest][]byte
	bytes   int64                       // that were counted
	indexes map[digest.Digest]*Manifest // those of the packed that are one

	buffer   bytes.Buffer
	deflater *flate.Writer
	inflate  sync.Pool
}

func newHeld() *held {
	h := &held{packed: make(map[digest.Digest][]byte), indexes: make(map[digest.Digest]*Manifest)}
	h.deflater, _ = flate.NewWriter(&h.buffer, flate.BestSpeed) // a known level: no error
	return h
}

// add keeps a manifest, of which the bytes are verified. Where there is no memory
// for it it is a *bounds.MemoryError.
func (h *held) add(d digest.Digest, data []byte) error {
	h.buffer.Reset()
	h.deflater.Reset(&h.buffer)
	if _, err := h.deflater.Write(data); err != nil {
		return err
	}
	if err := h.deflater.Close(); err != nil {
		return err
	}
	index := h.index(d, data)
	if err := h.take(h.buffer.Len(), index); err != nil {
		return err
	}
	h.packed[d] = bytes.Clone(h.buffer.Bytes())
	if index != nil {
		h.indexes[d] = index
	}
	return nil
}

// index returns of an index what completes asks for, nil of anything else.
func (h *held) index(d digest.Digest, data []byte) *Manifest {
	if !bytes.Contains(data, []byte(`"manifests"`)) {
		return nil
	}
	m, err := ParseManifest(ocispec.Descriptor{Digest: d}, data)
	if err != nil || !m.IsIndex() {
		return nil
	}
	return &Manifest{Manifests: m.Manifests, kind: m.kind}
}

// take counts what is going to be kept.
func (h *held) take(packed int, index *Manifest) error {
	n := int64(heldMemory + packed)
	if index != nil {
		for i := range index.Manifests {
			n += DescriptorMemory(&index.Manifests[i])
		}
	}
	if h.bytes+n > maxHeld {
		return &bounds.MemoryError{Most: maxHeld}
	}
	if err := bounds.Take(n); err != nil {
		return err
	}
	h.bytes += n
	return nil
}

// release gives back what was counted, once nothing is asked for any more.
func (h *held) release() {
	bounds.Give(h.bytes)
	h.bytes = 0
}

// get returns the bytes of a manifest, or fs.ErrNotExist.
func (h *held) get(d digest.Digest) ([]byte, error) {
	packed, ok := h.packed[d]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: string(d), Err: fs.ErrNotExist}
	}
	r, ok := h.inflate.Get().(io.ReadCloser)
	if !ok {
		r = flate.NewReader(nil)
	}
	defer h.inflate.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(packed), nil); err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// completes says that h has every manifest that x reaches, but for those that
// were left out of an index on purpose. What an index names and h has not may be a
// blob: whether it is cannot be told before it comes.
func (h *held) completes(x *Index) bool {
	seen := make(map[digest.Digest]bool)
	var has func(e *Entry, d digest.Digest, depth int) bool
	has = func(e *Entry, d digest.Digest, depth int) bool {
		if seen[d] || depth > bounds.Depth { // what is below that is not read
			return true
		}
		if _, ok := h.packed[d]; !ok {
			return false
		}
		seen[d] = true
		index := h.indexes[d]
		if index == nil {
			return true
		}
		for _, child := range index.Manifests {
			if !has(e, child.Digest, depth+1) && !leftOut(e.Platforms, index, child) {
				return false
			}
		}
		return true
	}
	for i := range x.Entries {
		if !has(&x.Entries[i], x.Entries[i].Digest, 0) {
			return false
		}
	}
	return true
}
