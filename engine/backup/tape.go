package backup

import (
	"hash"
	"io"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
)

// tape is the fetch.Writer of an archive. It starts at the first blob that an interrupted run
// did not leave there.
type tape struct {
	*archive
	first int
}

func (w *tape) Begin(i int) error {
	w.at = w.blobs[w.first+i]
	return written(w.out.Begin(w.at.OCI()))
}

func (w *tape) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	return n, written(err)
}

func (w *tape) End() error {
	if err := w.out.End(); err != nil {
		return written(err)
	}
	w.finishBlob(w.at, nil)
	return nil
}

func (w *tape) Rollback() error { return written(w.out.Rollback()) }

func (w *tape) Failed(i int, err error) error {
	b := w.blobs[w.first+i]
	w.finishBlob(b, &engine.ArtifactError{Reference: w.planner.OriginOf(b, 0).Repository() + "@" + b.Digest.String(), Op: "fetch", Err: err})
	if w.FailFast {
		return err
	}
	return nil
}

func (w *archive) sink(b *graph.Blob, emit func([]byte) error) io.WriteCloser {
	return &sink{desc: b.Descriptor, hash: b.Digest.Algorithm().Hash(), encoder: w.out.Encoder(b.OCI(), emit)}
}

// sink hashes a blob and encodes it.
type sink struct {
	desc    content.Descriptor
	hash    hash.Hash
	encoder io.WriteCloser
}

func (s *sink) Write(p []byte) (int, error) {
	s.hash.Write(p)
	return s.encoder.Write(p)
}

func (s *sink) Close() error {
	if err := s.encoder.Close(); err != nil {
		return err
	}
	return content.CheckHash(s.desc, s.hash)
}
