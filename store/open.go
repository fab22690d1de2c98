package store

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/object"
)

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

// openObject opens an archive in a bucket. A bundle needs two requests: the first has the table at
// its end, and the second index.json. If the table is long, it needs a third.
func openObject(client *bucket.Client, key string, o OpenOptions) (Layout, error) {
	f, err := object.Open(client, key)
	if err != nil {
		return nil, err
	}
	r, err := bundle.Open(f, f.Size)
	if errors.Is(err, bundle.ErrForeign) {
		return spoolAll(f.Reader(), f.Size, o)
	}
	if err != nil {
		return nil, err
	}
	_, end, ok := r.Span(bundle.IndexFile)
	if !ok || !r.HasTable() {
		return openArchiveLayout(r, f)
	}
	if kept, err := f.KeepHead(end); err != nil {
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
