package store

import (
	"bytes"
	"errors"
	"io"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// streamHead is what comes before the blobs.
type streamHead struct {
	in        *bundle.Stream
	manifests *manifestCache
	layout    []byte // oci-layout
	index     *Index

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
	// An archive of ours has this order. If a manifest is not there, it is
	// nowhere, and not behind what would be spooled. An index.json that lists nothing
	// is never of ours: another one follows, or all of it is soon spooled.
	if !h.in.Members() && (len(h.index.Entries) == 0 || !h.manifests.completes(h.index)) {
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
	if h.size > MaxManifest {
		return errOrder
	}
	defer bounds.Collect(2 * h.size)
	data := make([]byte, h.size)
	if _, err := io.ReadFull(h.in, data); err != nil {
		return err
	}
	if !looksLikeManifest(data) {
		h.data = data
		return errOrder
	}
	if d.Algorithm().FromBytes(data) != d {
		return nil // as good as absent
	}
	err = h.manifests.add(d, data)
	if _, full := errors.AsType[*bounds.MemoryError](err); full { // on a disk there is room
		h.data = data
		return errOrder
	}
	return err
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
	defer h.manifests.release()
	if h.layout != nil {
		if err := s.add(bundle.LayoutFile, int64(len(h.layout)), bytes.NewReader(h.layout)); err != nil {
			return err
		}
	}
	for d := range h.manifests.deflated {
		data, err := h.manifests.get(d)
		if err != nil {
			return err
		}
		if err := s.add(bundle.BlobName(d), int64(len(data)), bytes.NewReader(data)); err != nil {
			return err
		}
		bounds.Collect(2 * int64(len(data)))
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
