package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// Destination is where a backup lands: a *Dir or an *Archive.
type Destination interface {
	// Path returns what it is called, as far as it has a name.
	Path() string
	// Close gives up what was not committed, and the lock.
	Close() error
}

var (
	_ Destination = (*Dir)(nil)
	_ Destination = (*Archive)(nil)
)

// CreateOptions are the choices for an output.
type CreateOptions struct {
	Compression string    // of an archive: "gzip" or "none"; "" means gzip, but none for a name in .tar
	Stdout      io.Writer // what "-" stands for; nil means os.Stdout
	NoResume    bool      // what an interrupted run left of an archive is not taken up
	Verify      bool      // a blob that a directory has counts only once it is hashed

	// Interrupted is asked while what is there is read, which may take minutes, and while
	// a pipe has no reader: its error ends that. nil: nothing does. It is called from many
	// goroutines.
	Interrupted func() error
	// Waiting hears that a pipe has no reader yet; it may be nil.
	Waiting func()
}

// readerPause is the time between two looks for the reader of a pipe: long enough to cost
// nothing, and too short to be noticed.
const readerPollInterval = 50 * time.Millisecond

// ErrNoCompression says that a directory cannot be compressed.
var ErrNoCompression = errors.New("is a directory, which cannot be compressed")

// Create decides what an output path means. A directory that exists, or a path
// that ends in a slash, is a layout directory; "-", a pipe or a device is
// written as a stream; anything else is a file, which is replaced when the new
// one is whole.
func Create(path string, o CreateOptions) (Destination, error) {
	compression, err := o.compression(path)
	if err != nil {
		return nil, &OutputError{Path: path, Err: err}
	}
	if path == "" {
		return nil, &OutputError{Path: `""`, Err: errors.New("the path is empty")}
	}
	if path == "-" {
		if o.Stdout == nil {
			o.Stdout = os.Stdout
		}
		return StreamArchive(o.Stdout, compression), nil
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

// create keeps a nil *Dir from becoming a Destination that is not nil.
func create[D Destination](d D, err error) (Destination, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (o CreateOptions) compression(path string) (bundle.Compression, error) {
	switch o.Compression {
	case "gzip":
		return bundle.Gzip, nil
	case "none":
		return bundle.None, nil
	case "":
		if strings.EqualFold(filepath.Ext(path), ".tar") {
			return bundle.None, nil
		}
		return bundle.Gzip, nil
	}
	return 0, fmt.Errorf("invalid compression %q (gzip or none)", o.Compression)
}

// errNoReader says that a pipe cannot be written to yet.
var errNoReader = errors.New("it has no reader")

// openPipe begins a bundle in something that is neither a file nor a directory.
func openPipe(path string, info fs.FileInfo, c bundle.Compression, o CreateOptions) (*Archive, error) {
	open := openFIFO
	if info.Mode()&fs.ModeNamedPipe == 0 {
		open = func(path string) (*os.File, error) { return os.OpenFile(path, os.O_WRONLY, 0) }
	}
	f, err := open(path)
	if errors.Is(err, errNoReader) && o.Waiting != nil {
		o.Waiting()
	}
	for errors.Is(err, errNoReader) {
		if err := interruption(o.Interrupted); err != nil {
			return nil, err
		}
		time.Sleep(readerPollInterval)
		f, err = open(path)
	}
	if err != nil {
		return nil, &OutputError{Path: path, Err: err}
	}
	a := StreamArchive(f, c)
	p := a.medium.(*pipe)
	p.name, p.closer = path, f
	return a, nil
}
