package store

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

var (
	_ Destination = (*Dir)(nil)
	_ Destination = (*Archive)(nil)
	_ Destination = (*Parts)(nil)
)

// readerPollInterval is the time between two attempts to open a pipe for writing: long
// enough to cost nothing, too short to be noticed.
const readerPollInterval = 50 * time.Millisecond

// Create opens an output path. A directory, or a path that ends in a slash, becomes a
// layout directory, s3://BUCKET/PREFIX/ a layout in a bucket, s3://BUCKET/NAME an archive in
// one. "-", a pipe or a device gets an archive as a stream. Anything else becomes an archive in
// a file, which replaces an existing file only when it is complete.
func Create(path string, o CreateOptions) (Destination, error) {
	compression, err := o.compression(path)
	if err != nil {
		return nil, &OutputError{Path: path, Err: err}
	}
	if path == "" {
		return nil, &OutputError{Path: `""`, Err: errors.New("the path is empty")}
	}
	if o.PartSize > 0 {
		return createParts(path, compression, o)
	}
	if bucket.Is(path) {
		return createInBucket(path, compression, o)
	}
	if path == "-" {
		if o.Stdout == nil {
			o.Stdout = os.Stdout
		}
		return streamArchive(o.Stdout, compression), nil
	}
	info, err := os.Stat(path)
	switch {
	case os.IsPathSeparator(path[len(path)-1]) || err == nil && info.IsDir():
		if o.Compression != "" {
			return nil, &OutputError{Path: path, Err: ErrNoCompression}
		}
		return create(newDir(path, o.Verify, o.Interrupted))
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular():
		return create(openArchive(path, compression, !o.NoResume, o.Interrupted))
	case err == nil:
		return create(openPipe(path, info, compression, o))
	}
	return nil, &OutputError{Path: path, Err: err}
}

// createParts starts a bundle in parts.
func createParts(path string, c bundle.Compression, o CreateOptions) (Destination, error) {
	if err := checkParts(path); err != nil {
		return nil, err
	}
	return create(openParts(path, c, o))
}

// checkParts returns an error if a path is not that of a file, which alone can be in parts.
func checkParts(path string) error {
	info, err := os.Stat(path)
	isFile := errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular()
	if path == "-" || bucket.Is(path) || os.IsPathSeparator(path[len(path)-1]) || err == nil && !isFile {
		return &OutputError{Path: path, Err: ErrNoParts}
	}
	if !isFile {
		return &OutputError{Path: path, Err: err}
	}
	return nil
}

// createInBucket opens a layout or a bundle in a bucket.
func createInBucket(path string, c bundle.Compression, o CreateOptions) (Destination, error) {
	at, err := bucket.ParseLocation(path)
	switch {
	case err != nil:
		return nil, &OutputError{Path: path, Err: err}
	case !at.IsLayout():
		return create(openUpload(path, c, o))
	case o.Compression != "":
		return nil, &OutputError{Path: path, Err: ErrNoCompression}
	}
	return create(openBucket(path, o))
}

// create prevents a nil *Dir from becoming a Destination that is not nil.
func create[D Destination](d D, err error) (Destination, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// openPipe starts an archive in a pipe or a device.
func openPipe(path string, info fs.FileInfo, c bundle.Compression, o CreateOptions) (*Archive, error) {
	open := disk.OpenFIFO
	if info.Mode()&fs.ModeNamedPipe == 0 {
		open = func(path string) (*os.File, error) { return os.OpenFile(path, os.O_WRONLY, 0) }
	}
	f, err := open(path)
	if errors.Is(err, disk.ErrNoReader) && o.Waiting != nil {
		o.Waiting()
	}
	for errors.Is(err, disk.ErrNoReader) {
		if err := interruption(o.Interrupted); err != nil {
			return nil, err
		}
		time.Sleep(readerPollInterval)
		f, err = open(path)
	}
	if err != nil {
		return nil, &OutputError{Path: path, Err: err}
	}
	a := streamArchive(f, c)
	p := a.medium.(*pipe)
	p.name, p.closer = path, f
	return a, nil
}
