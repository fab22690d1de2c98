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

var errNotRegular = errors.New("is not a regular file")

// errNoReader is returned while a pipe has no reader.
var errNoReader = errors.New("it has no reader")

// openRegular opens a file of a layout for reading. A pipe or a device in its place is an
// error; the call does not wait for the other end of a pipe.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	return requireRegular(f, fmt.Errorf("its file %s %w", filepath.Base(path), errNotRegular))
}

// requireRegular returns f; if f is not a regular file, it closes f and returns wrong.
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

// checkOwnArchive returns a *StrangerError unless the content of a file is the start of an
// archive of oras-mirror, or empty. Such a file must not be overwritten.
func checkOwnArchive(f io.ReaderAt, path string) error {
	head := make([]byte, len(bundle.TarHead(layoutFile)))
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	return checkOwnHead(head[:n], path)
}

// checkOwnHead is checkOwnArchive for the start of a file.
func checkOwnHead(head []byte, path string) error {
	if bundle.BeginsMember(head) || bytes.HasPrefix(bundle.TarHead(layoutFile), head) {
		return nil
	}
	return &StrangerError{Path: path}
}
