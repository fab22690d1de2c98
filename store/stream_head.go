package store

import (
	"bytes"
	"errors"
	"io"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// streamHead is the part of a stream before the blobs.
type streamHead struct {
	in        *bundle.Stream
	manifests *manifestCache
	layout    []byte // oci-layout
	index     *oci.Index

	// The first entry that is out of order.
	name string
	size int64
	data []byte // its content, if read
}

// read reads oci-layout, manifests and index.json. At the first entry that is out of order
// it returns errOrder.
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
	// In an archive of oras-mirror a missing manifest is absent, it does not follow later. An
	// index.json that lists nothing is not from oras-mirror, or another one follows; to copy
	// such a small archive costs little.
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
	case h.name == bundle.LayoutFile && h.size <= oci.MaxManifest:
		h.layout, err = io.ReadAll(h.in)
		if err != nil {
			return err
		}
		return checkLayoutFile(bytes.NewReader(h.layout))
	case h.layout == nil:
		return errOrder
	case h.name == bundle.IndexFile:
		h.index, err = oci.ReadIndex(h.in)
		return err
	case blob:
		return h.takeManifest(d)
	}
	return nil // not part of a layout
}

func (h *streamHead) takeManifest(d digest.Digest) (err error) {
	if h.size > oci.MaxManifest {
		return errOrder
	}
	defer bounds.Collect(2 * h.size)
	data := make([]byte, h.size)
	if _, err := io.ReadFull(h.in, data); err != nil {
		return err
	}
	if !oci.LooksLikeManifest(data) {
		h.data = data
		return errOrder
	}
	if d.Algorithm().FromBytes(data) != d {
		return nil // treated as absent
	}
	err = h.manifests.add(d, data)
	if _, full := errors.AsType[*bounds.MemoryError](err); full { // the disk has room
		h.data = data
		return errOrder
	}
	return err
}

// spool copies to s what was read, the entry out of order, and the rest.
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

// errOrder reports an archive that cannot be read in one pass.
var errOrder = errors.New("is not in our order")
