package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrNotRegular is the error of a pipe or a device in place of a file.
var ErrNotRegular = errors.New("is not a regular file")

// ErrNoReader is the error while a pipe has no reader.
var ErrNoReader = errors.New("it has no reader")

// OpenRegular opens a file of a layout for reading. A pipe or a device in its place is an
// error; the call does not wait for the other end of a pipe.
func OpenRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	return requireRegular(f, fmt.Errorf("its file %s %w", filepath.Base(path), ErrNotRegular))
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
