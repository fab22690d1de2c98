package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// StrangerError says that a file which no backup made has a name that a backup would use:
// it is neither written to nor removed.
type StrangerError struct{ Path string }

func (e *StrangerError) Error() string {
	return e.Path + ": exists and was not written by oras-mirror"
}

var errNotRegular = errors.New("is not a regular file")

// openRegular opens a file of a layout for reading. A pipe or a device in its place is an
// error; the call does not wait for its other end.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	return requireRegular(f, fmt.Errorf("its file %s %w", filepath.Base(path), errNotRegular))
}

// regular returns f; it closes it and returns wrong if f is no regular file.
func requireRegular(f *os.File, wrong error) (*os.File, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = wrong
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkOurs makes sure that a file begins as an archive of ours does, as far as it goes:
// else it is a *StrangerError, and nothing is to be written over it.
func checkOwnArchive(f io.ReaderAt, path string) error {
	head := make([]byte, len(bundle.TarHead(layoutFile)))
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	if head = head[:n]; bundle.BeginsMember(head) || bytes.HasPrefix(bundle.TarHead(layoutFile), head) {
		return nil
	}
	return &StrangerError{Path: path}
}
