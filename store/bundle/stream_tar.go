package bundle

import (
	"bufio"
	"errors"
	"io"
)

// tarStream reads the tar of a stream.
type tarStream struct{ file *tarFile }

func newTarStream(r io.Reader) (*tarStream, error) {
	t := bufio.NewReaderSize(r, 64<<10)
	head, err := t.Peek(tarBlock)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if err := checkTar(head); err != nil {
		return nil, err
	}
	return &tarStream{newTarFile(t)}, nil
}

func (s *tarStream) next() (name string, size int64, err error) {
	name, size, err = s.file.next()
	switch {
	case err == io.EOF:
		err = s.drain()
	case err == nil && s.file.link != "":
		err = &LinkError{Name: name, To: s.file.link}
	}
	return name, size, err
}

// drain reads what follows the tar, so that a decompressor verifies its last checksum and
// the writer of a pipe can finish.
func (s *tarStream) drain() error {
	if _, err := io.Copy(io.Discard, s.file); err != nil {
		return s.file.fault(err)
	}
	return io.EOF
}

func (s *tarStream) read(p []byte) (int, error) { return s.file.read(p) }

// watched is the underlying reader of a stream. It tells its own errors from those of a
// decompressor.
type watched struct {
	io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// fault returns the error to report for an error of a decompressor.
func (w *watched) fault(err error, offset int64) error {
	if w.err != nil {
		return w.err
	}
	var format *FormatError
	err = cutOr(err, offset)
	if errors.Is(err, ErrNotArchive) || errors.As(err, &format) {
		return err
	}
	return damaged(offset, "%v", err)
}

// decoded reads the output of a decompressor.
type decoded struct {
	r  io.Reader
	in *watched
	at int64
}

func (d *decoded) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.at += int64(n)
	if err != nil && err != io.EOF {
		err = d.in.fault(err, d.at)
	}
	return n, err
}
