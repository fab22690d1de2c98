package store

import (
	"io"

	"github.com/opencontainers/go-digest"
)

// namedLayout is an archive whose errors have its path: one of several parts.
type namedLayout struct {
	*archiveLayout
	path string
}

func (l namedLayout) Open(d digest.Digest) (Blob, error) {
	blob, err := l.archiveLayout.Open(d)
	if err != nil {
		return nil, l.named(err)
	}
	return namedBlob{blob, l.path}, nil
}

// named adds the path to an error, unless a blob is merely not there.
func (l namedLayout) named(err error) error {
	if isNotExist(err) {
		return err
	}
	return inputError(l.path, err)
}

func (l namedLayout) OpenRandom(d digest.Digest) (RandomBlob, error) {
	return l.namedRandom(l.archiveLayout.OpenRandom(d))
}

func (l namedLayout) OpenWhole(d digest.Digest) (RandomBlob, error) {
	return l.namedRandom(l.archiveLayout.OpenWhole(d))
}

func (l namedLayout) namedRandom(blob RandomBlob, err error) (RandomBlob, error) {
	if err != nil {
		return nil, l.named(err)
	}
	return namedRandom{blob, l.path}, nil
}

// namedBlob is a blob of such an archive.
type namedBlob struct {
	Blob
	path string
}

func (b namedBlob) Read(p []byte) (int, error) {
	n, err := b.Blob.Read(p)
	if err != nil && err != io.EOF {
		err = inputError(b.path, err)
	}
	return n, err
}

type namedRandom struct {
	RandomBlob
	path string
}

func (b namedRandom) WriteRange(w io.Writer, from, n int64) error {
	writer := &noted{Writer: w}
	err := b.RandomBlob.WriteRange(writer, from, n)
	if err != nil && writer.err == nil {
		err = inputError(b.path, err)
	}
	return err
}

// noted keeps the error of a writer, to tell it from that of a reader.
type noted struct {
	io.Writer
	err error
}

func (w *noted) Write(p []byte) (n int, err error) {
	n, err = w.Writer.Write(p)
	w.err = err
	return n, err
}
