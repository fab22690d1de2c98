package exit

import (
	"errors"
	"io/fs"
	"os"

	"github.com/oras-mirror/oras-mirror/store"
)

// NoFileError reports that a file which the command line names does not exist.
type NoFileError struct{ Path string }

func (e *NoFileError) Error() string { return e.Path + ": no such file or directory" }

// Unwrap makes errors.Is(err, fs.ErrNotExist) true.
func (e *NoFileError) Unwrap() error { return fs.ErrNotExist }

// DirectoryError reports that the command line names a directory in place of a file.
type DirectoryError struct{ Path string }

func (e *DirectoryError) Error() string { return e.Path + ": is a directory" }

// CheckFiles returns an error if one of some files that the command line names does not exist
// or is a directory. Empty paths are ignored.
func CheckFiles(paths ...string) error {
	for _, path := range paths {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return &NoFileError{Path: path}
		case err == nil && info.IsDir():
			return &DirectoryError{Path: path}
		}
	}
	return nil
}

// isNoFile reports whether a file or an input that the command line names is not there.
func isNoFile(err error) bool {
	if is[*NoFileError](err) || is[*DirectoryError](err) {
		return true
	}
	input, ok := errors.AsType[*store.InputError](err)
	if !ok || !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, err = os.Stat(input.Path)
	return err != nil
}
