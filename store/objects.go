package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// objects reads a layout in a bucket, whose files are objects below a prefix.
type objects struct {
	client *bucket.Client
	name   string // as the user wrote it
	prefix string
	index  *oci.Index
	etag   string        // of index.json; "" if there is none
	sum    digest.Digest // of the bytes of index.json

	mu    sync.Mutex   // guards sizes
	sizes *objectSizes // of the blobs; nil until they are listed
}

// newObjects returns a layout that is not read yet.
func newObjects(client *bucket.Client, path, prefix string) *objects {
	return &objects{client: client, name: path, prefix: prefix, index: new(oci.Index)}
}

// openObjects opens a layout in a bucket for reading.
func openObjects(client *bucket.Client, path, prefix string) (*objects, error) {
	l := newObjects(client, path, prefix)
	layout, err := l.open(bundle.LayoutFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &InputError{Path: path, Reason: "no OCI layout in the bucket under this name", Err: err}
	}
	if err != nil {
		return nil, err
	}
	defer layout.Close()
	if err := checkLayoutFile(layout); err != nil {
		return nil, err
	}
	if err := l.readIndex(); errors.Is(err, fs.ErrNotExist) {
		return nil, errNoIndex
	} else if err != nil {
		return nil, err
	}
	return l, nil
}

func (o *objects) open(name string) (*bucket.Reader, error) {
	return o.client.Open(o.client.Context(), o.prefix+name, 0, -1)
}

// readIndex reads index.json, or returns fs.ErrNotExist.
func (o *objects) readIndex() error {
	r, err := o.open(bundle.IndexFile)
	if err != nil {
		return err
	}
	defer r.Close()
	sum := digest.Canonical.Digester()
	index, err := oci.ReadIndex(io.TeeReader(r, sum.Hash()))
	if err != nil {
		return err
	}
	o.index, o.etag, o.sum = index, r.ETag(), sum.Digest()
	return nil
}

func (o *objects) Index() *oci.Index { return o.index }

// ForgetIndex empties the index to free its memory.
func (o *objects) ForgetIndex() {
	o.index.Release()
	o.index = new(oci.Index)
}

func (o *objects) Close() error { return nil }

// Open opens a blob with one request.
func (o *objects) Open(d digest.Digest) (Blob, error) { return o.OpenPart(d, 0, -1) }

// OpenPart opens n bytes of a blob from off on, with one request; n < 0 means to its end.
// Size is that of the whole blob.
func (o *objects) OpenPart(d digest.Digest, off, n int64) (Blob, error) {
	r, err := o.read(d, off, n)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (o *objects) read(d digest.Digest, off, n int64) (*bucket.Reader, error) {
	key, err := o.key(d)
	if err != nil {
		return nil, err
	}
	return o.client.Open(o.client.Context(), key, off, n)
}

// Stat looks a blob up in the list of the blobs if there is one, or else asks for it.
func (o *objects) Stat(d digest.Digest) (int64, error) {
	key, err := o.key(d)
	if err != nil {
		return 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sizes == nil {
		return o.client.Stat(o.client.Context(), key)
	}
	if size, ok := o.sizes.Get(d); ok {
		return size, nil
	}
	return 0, &fs.PathError{Op: "stat", Path: o.name + bundle.BlobName(d), Err: fs.ErrNotExist}
}

// key returns the key of a blob.
func (o *objects) key(d digest.Digest) (string, error) {
	if err := d.Validate(); err != nil {
		return "", fmt.Errorf("%.200q: %w", d, err)
	}
	return o.prefix + bundle.BlobName(d), nil
}

// Lister is a Layout that can look up its blobs in a list instead of one by one.
type Lister interface {
	Layout
	// ListBlobs asks for the sizes of all blobs, on which Stat relies from then on.
	ListBlobs(ctx context.Context) error
}

// ListBlobs asks for the sizes of all blobs.
func (o *objects) ListBlobs(ctx context.Context) error { return o.list(ctx) }

// list asks for the sizes of all blobs, once.
func (o *objects) list(ctx context.Context) error {
	sizes, err := listBlobs(ctx, o.client, o.prefix)
	if err != nil {
		return err
	}
	o.setSizes(sizes)
	return nil
}

func (o *objects) setSizes(sizes *objectSizes) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sizes.Release()
	o.sizes = sizes
}

// blobs lists the blobs. If they cannot be listed there is none: what an index needs fails
// when it is opened.
func (o *objects) blobs() iter.Seq[digest.Digest] {
	return func(yield func(digest.Digest) bool) {
		o.mu.Lock()
		listed := o.sizes != nil
		o.mu.Unlock()
		if !listed && o.list(o.client.Context()) != nil {
			return
		}
		o.mu.Lock()
		all := o.sizes.Sorted()
		o.mu.Unlock()
		for d := range all {
			if !yield(d) {
				return
			}
		}
	}
}
