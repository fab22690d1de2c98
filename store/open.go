package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// OpenOptions configure an input. The zero value works.
type OpenOptions struct {
	// TempDir is the folder for the temporary copy of an archive that cannot be read in
	// place; "" means os.TempDir.
	TempDir string
	// Spooling is called before an archive is copied to a temporary file, with the size of
	// the archive in bytes; -1 if it is unknown. It may be nil.
	Spooling func(size int64)
	// Name is the name of a stream in errors; "" means standard input.
	Name    string
	Buckets Buckets
}

var (
	errEmpty    = errors.New("empty")
	errNoLayout = errors.New("tar archive without an OCI layout")
	errNoIndex  = errors.New("OCI layout without an index.json")
)

// OpenLayout opens a directory, an archive, or either of them in a bucket for reading. The
// bytes of an archive decide its format, not its name: a bundle of oras-mirror or a plain tar
// is read in place, any other is copied to a temporary file, which Close removes. Any other
// input, or an incomplete one, is an *InputError.
func OpenLayout(path string, o OpenOptions) (Layout, error) {
	p, err := At(path, o)
	if err != nil {
		return nil, err
	}
	return p.Open()
}

// openLocal opens a directory or an archive.
func openLocal(path string, o OpenOptions) (Layout, error) {
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
	if info.Mode().IsRegular() {
		l, err := openBundleFile(f, info.Size())
		if err == nil {
			return l, nil // which closes f
		}
		if !errors.Is(err, bundle.ErrForeign) {
			f.Close()
			return nil, err
		}
	}
	defer f.Close()
	return spoolAll(f, spoolSize(info), o)
}

// openObject opens an archive in a bucket: a bundle with two requests, of which the first has
// the table at its end, and the second index.json. If the table is long, it needs a third.
func openObject(client *bucket.Client, key string, o OpenOptions) (Layout, error) {
	f, err := openObjectFile(client, key)
	if err != nil {
		return nil, err
	}
	r, err := bundle.Open(f, f.size)
	if errors.Is(err, bundle.ErrForeign) {
		return spoolAll(f.reader(), f.size, o)
	}
	if err != nil {
		return nil, err
	}
	_, end, ok := r.Span(bundle.IndexFile)
	if !ok || !r.HasTable() {
		return openArchiveLayout(r, f)
	}
	if kept, err := f.keepHead(end); err != nil {
		return nil, err
	} else if kept || r.Copies(bundle.LayoutFile) == 0 {
		return openArchiveLayout(r, f)
	}
	// Many manifests are before index.json. The table tells that the archive is a bundle, and
	// that there is an oci-layout at its start, which is not worth a request.
	return readArchiveLayout(r, f)
}

// spoolSize returns the size to copy, -1 for a pipe.
func spoolSize(info fs.FileInfo) int64 {
	if info.Mode().IsRegular() {
		return info.Size()
	}
	return -1
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
	return nil, &InputError{Path: path, Reason: "directory without an OCI layout", Err: err}
}

// openBundleFile opens an archive that can be read in place. Closing the layout closes f.
func openBundleFile(f bundleFile, size int64) (*archiveLayout, error) {
	if size == 0 {
		return nil, errEmpty
	}
	r, err := bundle.Open(f, size)
	if err != nil {
		return nil, err
	}
	return openArchiveLayout(r, f)
}

// bundleFile is an archive that can be read in place.
type bundleFile interface {
	io.ReaderAt
	archiveFile
}

// inputError returns err as an *InputError. If the temporary file cannot be written, the
// error stays an *OutputError.
func inputError(path string, err error) error {
	_, input := errors.AsType[*InputError](err)
	_, output := errors.AsType[*OutputError](err)
	if input || output {
		return err
	}
	return &InputError{Path: path, Reason: inputReason(err), Err: err}
}

func inputReason(err error) string {
	if format, ok := errors.AsType[*bundle.FormatError](err); ok {
		return fmt.Sprintf("truncated or damaged at byte %d: %s", format.Offset, format.Reason)
	}
	if _, ok := errors.AsType[*IndexError](err); ok {
		return err.Error()
	}
	switch {
	case IsPassing(err):
		return reasonOf(err)
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, bundle.ErrNotArchive):
		return "neither a directory nor a tar archive"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "truncated"
	}
	return reasonOf(err)
}
