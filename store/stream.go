package store

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// Stream is an archive in our order that is read once, from a pipe: when it is
// opened all manifests are known, and what every blob is for. Index and Manifest
// may be called concurrently, Next and Read by one goroutine.
type Stream struct {
	in    *bundle.Stream
	name  string
	held  *held
	index atomic.Pointer[Index]

	size int64 // of the entry that Next came to
}

var _ Input = (*Stream)(nil)

// errOrder says that an archive cannot be read in one pass.
var errOrder = errors.New("is not in our order")

// OpenStream opens an archive that comes once: as a *Stream if it has our order,
// else as a Layout, spooled. What it cannot be read as is an *InputError.
func OpenStream(r io.Reader, o OpenOptions) (Input, error) {
	if o.Name == "" {
		o.Name = "standard input"
	}
	in, err := openStream(r, o)
	if err != nil {
		return nil, inputError(o.Name, err)
	}
	return in, nil
}

func openStream(r io.Reader, o OpenOptions) (Input, error) {
	in, err := newStream(r)
	if err != nil {
		return nil, err
	}
	head := &streamHead{in: in, held: newHeld()}
	err = head.read()
	if errors.Is(err, errOrder) {
		s, err := newSpool(-1, o)
		if err != nil {
			return nil, err
		}
		return s.finish(head.spool(s))
	}
	if err != nil {
		return nil, err
	}
	s := &Stream{in: in, name: o.Name, held: head.held}
	s.index.Store(head.index)
	return s, nil
}

// Index returns what index.json lists: the last one that came.
func (s *Stream) Index() *Index { return s.index.Load() }

// Manifest returns the bytes of a manifest, verified, or fs.ErrNotExist.
func (s *Stream) Manifest(d digest.Digest) ([]byte, error) { return s.held.get(d) }

// Next goes on to the next blob behind index.json, whose content Read returns,
// not verified. Another index.json is taken in on the way. At the end, which is
// an archive's end and not just that of the bytes, it is io.EOF.
func (s *Stream) Next() (d digest.Digest, size int64, err error) {
	for {
		name, size, err := s.in.Next()
		if err == io.EOF {
			return "", 0, err
		}
		if err == nil && name == bundle.IndexFile {
			err = s.readIndex()
		}
		if err != nil {
			return "", 0, inputError(s.name, err)
		}
		if d, ok := blobDigest(name); ok {
			return d, size, nil
		}
	}
}

// Read reads the content of the blob that Next came to.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if err != nil && err != io.EOF {
		err = inputError(s.name, err)
	}
	return n, err
}

// Close gives up the rest. It does not close what the stream is read from.
func (s *Stream) Close() error { return s.in.Close() }

func (s *Stream) readIndex() error {
	x, err := ReadIndex(s.in)
	if err == nil {
		s.index.Store(x)
	}
	return err
}

// streamHead is what comes before the blobs.
type streamHead struct {
	in     *bundle.Stream
	held   *held
	layout []byte // oci-layout
	index  *Index

	// The entry at which the order was found not to be ours.
	name string
	size int64
	data []byte // its content, if it was read
}

// read takes in oci-layout, manifests and index.json. If they do not come so, it
// stops with errOrder at the first entry that is out of place.
func (h *streamHead) read() error {
	for h.index == nil {
		var err error
		h.name, h.size, err = h.in.Next()
		if err == io.EOF {
			return h.atEnd()
		}
		if err != nil {
			return err
		}
		if err := h.take(); err != nil {
			return err
		}
	}
	if !h.held.completes(h.index) {
		return errOrder
	}
	return nil
}

func (h *streamHead) atEnd() error {
	if h.layout == nil {
		return errNoLayout
	}
	return errNoIndex
}

func (h *streamHead) take() (err error) {
	d, blob := blobDigest(h.name)
	switch {
	case h.name == bundle.LayoutFile && h.size <= MaxManifest:
		h.layout, err = io.ReadAll(h.in)
		if err != nil {
			return err
		}
		return checkLayoutFile(bytes.NewReader(h.layout))
	case h.layout == nil:
		return errOrder
	case h.name == bundle.IndexFile:
		h.index, err = ReadIndex(h.in)
		return err
	case blob:
		return h.takeManifest(d)
	}
	return nil // not part of a layout
}

func (h *streamHead) takeManifest(d digest.Digest) (err error) {
	if h.size > MaxManifest || h.held.full() {
		return errOrder
	}
	data, err := io.ReadAll(h.in)
	if err != nil {
		return err
	}
	if !looksLikeManifest(data) {
		h.data = data
		return errOrder
	}
	if d.Algorithm().FromBytes(data) != d {
		return nil // as good as absent
	}
	return h.held.add(d, data)
}

// looksLikeManifest tells manifests from configs and layers, which in our order
// come later.
func looksLikeManifest(data []byte) bool {
	data = bytes.TrimSpace(data)
	return bytes.HasPrefix(data, []byte("{")) &&
		(bytes.Contains(data, []byte(`"schemaVersion"`)) || bytes.Contains(data, []byte(`"mediaType"`)))
}

// spool adds to s what was taken in, the entry that was out of place, and the rest.
func (h *streamHead) spool(s *spool) error {
	if h.layout != nil {
		if err := s.add(bundle.LayoutFile, int64(len(h.layout)), bytes.NewReader(h.layout)); err != nil {
			return err
		}
	}
	for d := range h.held.packed {
		data, err := h.held.get(d)
		if err != nil {
			return err
		}
		if err := s.add(bundle.BlobName(d), int64(len(data)), bytes.NewReader(data)); err != nil {
			return err
		}
	}
	if err := h.spoolCurrent(s); err != nil {
		return err
	}
	return s.addAll(h.in)
}

func (h *streamHead) spoolCurrent(s *spool) error {
	switch {
	case h.index != nil:
		var b bytes.Buffer
		if _, err := h.index.WriteTo(&b); err != nil {
			return err
		}
		return s.add(bundle.IndexFile, int64(b.Len()), &b)
	case h.data != nil:
		return s.add(h.name, int64(len(h.data)), bytes.NewReader(h.data))
	}
	return s.add(h.name, h.size, h.in)
}
