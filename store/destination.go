package store

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// Destination is the output of a backup: a *Dir, a *Bucket, an *Archive or *Parts.
type Destination interface {
	// Path returns the name of the output, "-" for standard output.
	Path() string
	// Close discards what is not committed and releases the lock.
	Close() error
}

// CreateOptions configure an output. The zero value works.
type CreateOptions struct {
	Compression string    // of an archive: "gzip" or "none"; "" means none for NAME.tar, else gzip
	PartSize    int64     // write an archive in parts of at most so many bytes; 0 means in one file
	Stdout      io.Writer // used for "-"; nil means os.Stdout
	NoResume    bool      // start over instead of resuming an interrupted archive
	Verify      bool      // hash the blobs of a directory or a bucket before relying on them
	Buckets     Buckets
	Buffer      int64 // bounds the memory for what is sent to a bucket; 0 means no limit

	// SingleWriter writes to a bucket without conditions, for a store that does not honor
	// them. Another process that writes at the same time may replace index.json unnoticed.
	SingleWriter bool

	// Interrupted is called while existing content is read, which may take minutes, and while
	// a pipe has no reader; its error ends that. It may be nil, and is called concurrently.
	Interrupted func() error
	// Waiting is called once if a pipe has no reader yet; it may be nil.
	Waiting func()
}

// ErrNoCompression is returned if compression is requested for a directory, ErrNoParts if
// parts are requested for anything but a file.
var (
	ErrNoCompression = errors.New("is a directory, which cannot be compressed")
	ErrNoParts       = errors.New("cannot be divided into parts, only an archive in a file can")
)

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
