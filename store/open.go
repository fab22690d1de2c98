package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// OpenOptions are the choices for an input. The zero value works.
type OpenOptions struct {
	// TempDir is where a foreign archive is spooled; "" means os.TempDir.
	TempDir string
	// Spooling is called before an archive is spooled, with its size as it is
	// read; -1 where that is not known. It may be nil.
	Spooling func(size int64)
	// Name is what errors call a stream; "" means standard input.
	Name string
}

var (
	errEmpty    = errors.New("is empty")
	errNoLayout = errors.New("is a tar without an OCI layout")
	errNoIndex  = errors.New("is an OCI layout without an index.json")
)

// OpenLayout opens a directory or an archive for reading. Its bytes tell what an
// archive is, not its name: a bundle of ours or a plain tar is read in place,
// any other is spooled to a temporary file, which is removed at Close. An input
// that is none of them, or is not whole, is an *InputError.
func OpenLayout(path string, o OpenOptions) (Layout, error) {
	l, err := openLayout(path, o)
	if err != nil {
		return nil, inputError(path, err)
	}
	return l, nil
}

func openLayout(path string, o OpenOptions) (Layout, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openDirectory(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe, read to its end
		defer f.Close()
		return spoolAll(f, -1, o)
	}
	l, err := openFile(f, info.Size(), o)
	if l, ok := l.(*packed); ok && l.file == f && err == nil {
		return l, nil // which closes f
	}
	return l, errors.Join(err, f.Close())
}

func openDirectory(path string) (Layout, error) {
	l, err := openFolder(path)
	switch {
	case err == nil:
		return l, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case exists(path + "/" + bundle.LayoutFile):
		return nil, errNoIndex
	}
	return nil, &InputError{Path: path, Reason: "is a directory without an OCI layout", Err: err}
}

func openFile(f *os.File, size int64, o OpenOptions) (Layout, error) {
	if size == 0 {
		return nil, errEmpty
	}
	r, err := bundle.Open(f, size)
	switch {
	case errors.Is(err, bundle.ErrForeign):
		return spoolAll(f, size, o)
	case err != nil:
		return nil, err
	}
	return openPacked(r, f)
}

// inputError says in words what is wrong with an input.
func inputError(path string, err error) error {
	var input *InputError
	if errors.As(err, &input) {
		return err
	}
	var format *bundle.FormatError
	text := reason(err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = "does not exist"
	case errors.Is(err, bundle.ErrNotArchive):
		text = "is neither a directory nor a tar archive"
	case errors.Is(err, io.ErrUnexpectedEOF):
		text = "is truncated"
	case errors.As(err, &format):
		text = "is damaged: " + strings.TrimPrefix(format.Error(), "bundle: ")
	}
	return &InputError{Path: path, Reason: text, Err: err}
}
