package store

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// Stream is an archive that is read once, from a pipe, with its manifests first: after
// opening, all manifests and the uses of every blob are known. Index and Manifest may be
// called concurrently; Next and Read may not.
type Stream struct {
	in        *bundle.Stream
	name      string
	manifests *manifestCache
	first     map[digest.Digest]bool // of the first index.json; nil before a second one
	index     atomic.Pointer[oci.Index]
	part      *parts.File    // of a bundle in parts; nil for another one, and before it is read
	lenders   *Union         // the bases of a delta; nil if none are at hand
	lineage   *delta.Lineage // of the stream and them
}

var _ Input = (*Stream)(nil)

// LateError reports a manifest after the first index.json that a later index.json lists. A
// pipe cannot be read again for it.
type LateError struct {
	Digest digest.Digest // of the manifest; "" if it is a child of a listed one
}

func (e *LateError) Error() string {
	if e.Digest == "" {
		return "its last index.json lists an index with a manifest that comes after the first index.json"
	}
	return "its last index.json lists " + string(e.Digest) + ", which comes after the first index.json"
}

// OpenStream opens an archive that can be read once: as a *Stream if its manifests come
// first, else as a Layout, copied to a temporary file. Any other input is an *InputError.
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

// Index returns the content of the last index.json that was read.
func (s *Stream) Index() *oci.Index { return s.index.Load() }

// Ours reports whether oras-mirror wrote the archive. Such an archive omits an artifact
// from a later index.json only if the artifact is incomplete. In any other archive a later
// index.json may list anything.
func (s *Stream) Ours() bool { return s.in.Members() }

// Complete returns a *LateError at the end of a stream if its last index.json lists a
// manifest that came too late to be kept.
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

// Next advances to the next blob after index.json, whose content Read returns, not
// verified. It reads another index.json on the way. At the end of the archive it returns
// io.EOF; if only the bytes end, the archive is truncated.
func (s *Stream) Next() (d digest.Digest, size int64, err error) {
	for {
		name, size, err := s.in.Next()
		if err == io.EOF {
			return "", 0, err
		}
		switch {
		case err == nil && name == bundle.IndexFile:
			err = s.readIndex()
		case err == nil && name == bundle.PartFile:
			err = s.readPart()
		}
		if err != nil {
			return "", 0, inputError(s.name, err)
		}
		if d, ok := blobDigest(name); ok {
			return d, size, nil
		}
	}
}

// Read reads the content of the current blob.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if err != nil && err != io.EOF {
		err = inputError(s.name, err)
	}
	return n, err
}

// Close discards the rest. It does not close the underlying reader.
func (s *Stream) Close() error {
	s.manifests.release()
	err := s.in.Close()
	if s.lenders != nil {
		err = errors.Join(err, s.lenders.Close())
	}
	return err
}

// readPart reads which part of a bundle the stream is.
func (s *Stream) readPart() error {
	p, ours, err := parts.ReadFile(s.in)
	if err == nil && ours {
		s.part = &p
	}
	return err
}

// lacking returns the other parts of the bundle: a pipe carries one.
func (s *Stream) lacking() (faults []error) {
	if s.part == nil {
		return nil
	}
	for number := 1; number <= s.part.Parts; number++ {
		if number != s.part.Part {
			faults = append(faults, &MissingPartError{Part: number, Parts: s.part.Parts})
		}
	}
	return faults
}

func (s *Stream) readIndex() error {
	x, err := oci.ReadIndex(s.in)
	if err != nil {
		return err
	}
	if s.first == nil {
		s.first = make(map[digest.Digest]bool)
		for _, e := range s.Index().Entries {
			s.first[e.Digest] = true
		}
	}
	if s.lineage != nil {
		s.lineage.Annotate(x)
	}
	s.index.Swap(x).Release()
	return nil
}
