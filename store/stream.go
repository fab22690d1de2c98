package store

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// Stream is an archive in our order that is read once, from a pipe: when it is
// opened all manifests are known, and what every blob is for. Index and Manifest
// may be called concurrently, Next and Read by one goroutine.
type Stream struct {
	in        *bundle.Stream
	name      string
	manifests *manifestCache
	first     map[digest.Digest]bool // what the first index.json lists; nil as long as there is no other
	index     atomic.Pointer[Index]
}

var _ Input = (*Stream)(nil)

// LateError says that a manifest came behind the index.json that an archive began with,
// and a later one lists it: what is read once cannot go back to it.
type LateError struct {
	Digest digest.Digest // of the manifest; empty where it is below one that is listed
}

func (e *LateError) Error() string {
	if e.Digest == "" {
		return "its last index.json lists an index with a manifest that comes after the first index.json"
	}
	return "its last index.json lists " + string(e.Digest) + ", which comes after the first index.json"
}

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
	head := &streamHead{in: in, manifests: newManifestCache()}
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
	s := &Stream{in: in, name: o.Name, manifests: head.manifests}
	s.index.Store(head.index)
	return s, nil
}

// Index returns what index.json lists: the last one that came.
func (s *Stream) Index() *Index { return s.index.Load() }

// Ours tells whether the archive is in members of ours, whose writer takes an artifact
// out of a later index.json only if that is not whole. In any other a later one may say
// anything.
func (s *Stream) Ours() bool { return s.in.Members() }

// Complete makes sure, at the end of a stream, that the manifests which its last
// index.json lists have come in time to be kept; else it returns a *LateError.
func (s *Stream) Complete() error {
	if s.first == nil {
		return nil
	}
	for _, e := range s.Index().Entries {
		if _, kept := s.manifests.deflated[e.Digest]; !kept && !s.first[e.Digest] {
			return inputError(s.name, &LateError{Digest: e.Digest})
		}
	}
	if !s.Ours() && !s.manifests.completes(s.Index()) { // of what ours lists, all came in time or not at all
		return inputError(s.name, &LateError{})
	}
	return nil
}

// Manifest returns the bytes of a manifest, verified, or fs.ErrNotExist.
func (s *Stream) Manifest(d digest.Digest) ([]byte, error) { return s.manifests.get(d) }

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
func (s *Stream) Close() error {
	s.manifests.release()
	return s.in.Close()
}

func (s *Stream) readIndex() error {
	x, err := ReadIndex(s.in)
	if err != nil {
		return err
	}
	if s.first == nil {
		s.first = make(map[digest.Digest]bool)
		for _, e := range s.Index().Entries {
			s.first[e.Digest] = true
		}
	}
	bounds.Give(s.index.Swap(x).memory)
	return nil
}
