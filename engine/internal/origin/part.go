package origin

import (
	"errors"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// openPart reads n bytes at off of a blob of a layout.
func openPart(l store.Layout, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	open, inParts := l.Open, false
	if l, ok := l.(store.PartOpener); ok && n > 0 {
		inParts = true
		open = func(d digest.Digest) (store.Blob, error) { return l.OpenPart(d, off, n) }
	}
	b, err := open(desc.Digest)
	if err != nil {
		return nil, err
	}
	if b.Size() != desc.Size {
		return nil, errors.Join(&oci.MismatchError{Descriptor: desc, Size: b.Size()}, b.Close())
	}
	if inParts {
		return b, nil
	}
	if err := skip(b, off); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return Part{Reader: io.LimitReader(b, n), Closer: b}, nil
}

// Part reads a part of a blob and closes the whole.
type Part struct {
	io.Reader
	io.Closer
}

// skip goes forward to off, by seeking where that is possible.
func skip(r io.Reader, off int64) error {
	if off == 0 {
		return nil
	}
	if s, ok := r.(io.Seeker); ok {
		_, err := s.Seek(off, io.SeekStart)
		return err
	}
	_, err := io.CopyN(io.Discard, r, off)
	return err
}
