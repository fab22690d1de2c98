package store

import (
	"context"
	"os"
	"path/filepath"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// Place is the place of a layout: a directory, an archive, or either of them in a bucket.
// It is safe for concurrent use.
type Place interface {
	// Open opens the layout that is there now. An error is an *InputError or an *OutputError.
	Open() (Layout, error)
	// State identifies the content that is there now, without reading it. If nothing is there
	// the error is fs.ErrNotExist.
	State(ctx context.Context) (State, error)
	// Poll is State for a caller that asks again later: a failed request is not tried again.
	Poll(ctx context.Context) (State, error)
	// String returns the path as the user wrote it.
	String() string
}

// State identifies a state of a Place. It is another one after the archive is replaced, or the
// index.json of a layout, which is written after everything that it references.
type State struct {
	file   os.FileInfo // nil in a bucket
	object bucket.Info // zero on a disk
}

// Same reports whether nothing was written between two states.
func (s State) Same(other State) bool {
	if s.file == nil || other.file == nil {
		return s == other
	}
	return os.SameFile(s.file, other.file) && s.file.Size() == other.file.Size() && s.file.ModTime().Equal(other.file.ModTime())
}

// At returns the place that a path names. It reads nothing.
func At(path string, o OpenOptions) (Place, error) {
	if !bucket.Is(path) {
		return localPlace{path, o}, nil
	}
	at, err := bucket.ParseLocation(path)
	if err != nil {
		return nil, inputError(path, err)
	}
	client, err := bucket.New(at.Bucket, o.Buckets.options(path))
	if err != nil {
		return nil, inputError(path, err)
	}
	if at.IsLayout() {
		return bucketPlace{client, path, at.Key + bundle.IndexFile, func() (Layout, error) { return openObjects(client, path, at.Key) }}, nil
	}
	return bucketPlace{client, path, at.Key, func() (Layout, error) { return openObject(client, at.Key, o) }}, nil
}

// localPlace is a directory or a file.
type localPlace struct {
	path    string
	options OpenOptions
}

func (p localPlace) String() string { return p.path }

func (p localPlace) Open() (Layout, error) {
	l, err := openLocal(p.path, p.options)
	if err != nil {
		return nil, inputError(p.path, err)
	}
	return l, nil
}

func (p localPlace) State(context.Context) (State, error) {
	info, err := os.Stat(p.path)
	if err == nil && info.IsDir() {
		info, err = os.Stat(filepath.Join(p.path, bundle.IndexFile))
	}
	return State{file: info}, err
}

func (p localPlace) Poll(ctx context.Context) (State, error) { return p.State(ctx) }

// bucketPlace is a layout or an archive in a bucket.
type bucketPlace struct {
	client *bucket.Client
	path   string
	key    string // of the object that another state changes
	open   func() (Layout, error)
}

func (p bucketPlace) String() string { return p.path }

func (p bucketPlace) Open() (Layout, error) {
	l, err := p.open()
	if err != nil {
		return nil, inputError(p.path, err)
	}
	return l, nil
}

func (p bucketPlace) State(ctx context.Context) (State, error) {
	return p.stateBy(ctx, p.client)
}

func (p bucketPlace) Poll(ctx context.Context) (State, error) {
	return p.stateBy(ctx, p.client.Once())
}

func (p bucketPlace) stateBy(ctx context.Context, client *bucket.Client) (State, error) {
	info, err := client.Head(ctx, p.key)
	return State{object: info}, err
}

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
