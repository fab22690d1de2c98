package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// layoutSource reads a layout with random access.
type layoutSource struct{ layout Layout }

func (s layoutSource) Manifest(desc ocispec.Descriptor) ([]byte, error) {
	return ReadManifest(s.layout, desc)
}

func (s layoutSource) Child(desc ocispec.Descriptor) ([]byte, error) {
	return ReadChild(s.layout, desc)
}

func (s layoutSource) Size(d digest.Digest) (int64, bool) {
	size, err := s.layout.Stat(d)
	return size, err == nil
}

func (s layoutSource) Absent(d digest.Digest) bool {
	_, err := s.layout.Stat(d)
	return errors.Is(err, fs.ErrNotExist)
}

func (s layoutSource) Unselected(d digest.Digest) bool {
	u, ok := s.layout.(*Union)
	if !ok {
		return s.Absent(d)
	}
	for _, m := range u.inputs {
		if !m.replaced && !(layoutSource{m.Layout}).Absent(d) {
			return false
		}
	}
	return true
}

// streamSource has the content of a stream that was read to its end.
type streamSource struct {
	stream *Stream
	// received has each blob with its fault; nil is none.
	received map[digest.Digest]error
	sizes    map[digest.Digest]int64
}

// hash reads the stream to its end. A blob that was filled with zeros, since it could not
// be fetched, may come again: then the good copy counts.
func (s *streamSource) hash(progress func(int64) error, take func(digest.Digest, int64, io.Reader) ([]byte, error)) error {
	if take == nil {
		take = func(digest.Digest, int64, io.Reader) ([]byte, error) { return nil, nil }
	}
	s.sizes = make(map[digest.Digest]int64)
	for {
		d, size, err := s.stream.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		taken, err := take(d, size, s.stream)
		if err != nil {
			return err
		}
		err = hashReader(io.MultiReader(bytes.NewReader(taken), s.stream), ocispec.Descriptor{Digest: d, Size: size}, progress)
		if _, mismatch := errors.AsType[*oci.MismatchError](err); err != nil && !mismatch {
			return err
		}
		if before, again := s.received[d]; !again || before != nil {
			s.received[d], s.sizes[d] = err, size
		}
	}
}

func (s *streamSource) Manifest(desc ocispec.Descriptor) ([]byte, error) {
	data, err := s.stream.Manifest(desc.Digest)
	if err != nil {
		return nil, err
	}
	return data, oci.CheckContent(desc, data)
}

// Child takes anything that is not among the manifests for a blob.
func (s *streamSource) Child(desc ocispec.Descriptor) ([]byte, error) {
	if _, came := s.received[desc.Digest]; came {
		if _, held := s.stream.manifests.deflated[desc.Digest]; !held {
			return nil, nil
		}
	}
	return s.Manifest(desc)
}

func (s *streamSource) Absent(d digest.Digest) bool {
	_, blob := s.received[d]
	_, manifest := s.stream.manifests.deflated[d]
	return !blob && !manifest
}

func (s *streamSource) Unselected(d digest.Digest) bool { return s.Absent(d) }

func (s *streamSource) Size(d digest.Digest) (int64, bool) {
	if size, ok := s.sizes[d]; ok {
		return size, true
	}
	data, err := s.stream.Manifest(d)
	return int64(len(data)), err == nil
}

// check returns the fault of a blob that the graph references.
func (s *streamSource) check(desc ocispec.Descriptor) error {
	err, came := s.received[desc.Digest]
	switch {
	case s.Absent(desc.Digest):
		return &verify.MissingError{}
	case !came: // a manifest that is referenced as a blob
		_, err := s.Manifest(desc)
		return err
	case err == nil && s.sizes[desc.Digest] != desc.Size:
		return &oci.MismatchError{Descriptor: desc, Size: s.sizes[desc.Digest]}
	}
	return err
}

// unreached counts the blobs that no entry reaches.
func (s *streamSource) unreached(reached map[digest.Digest]*verify.Blob, delta *delta.Delta) (n int) {
	for d := range s.received {
		if reached[d] == nil && !delta.IsList(d) {
			n++
		}
	}
	for d := range s.stream.manifests.deflated {
		if _, twice := s.received[d]; !twice && reached[d] == nil && !delta.IsList(d) {
			n++
		}
	}
	return n
}
