package store

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/semaphore"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Bucket is a layout in a bucket open for writing. Any number of processes may write to it
// at once. It is safe for concurrent use.
//
// An object appears as a whole, and only if its bytes have the sha256 that was sent ahead.
// So a blob of the right size is right, whatever process wrote it. index.json is written last, on the
// condition that it still is the one that was read; if it is not, it is read again, and the
// entries of this run are merged into it. However the process ends, the bucket is the layout
// that it was before, with more blobs.
type Bucket struct {
	objects
	*usage
	single      bool // another process cannot interfere, or the caller accepts that it does
	hashAll     bool // an existing blob counts only after it is hashed
	interrupted func() error
	memory      *semaphore.Weighted // of blobs under way, in bytes
	most        int64               // the size of memory

	commit      sync.Mutex        // held during Commit
	pruneTag    string            // guarded by commit: the ETag of the prune.json that was read
	annotations map[string]string // guarded by commit: those of the index.json that was read
}

var (
	_ Layout      = (*Bucket)(nil)
	_ Destination = (*Bucket)(nil)
	_ PartOpener  = (*Bucket)(nil)
)

// openBucket opens a layout in a bucket for writing, and creates it if needed. It lists the
// blobs, so that none is asked for one by one.
func openBucket(path string, o CreateOptions) (*Bucket, error) {
	b, err := newBucket(path, o)
	if err != nil {
		return nil, err
	}
	err = b.readIndex()
	if errors.Is(err, fs.ErrNotExist) {
		err = b.checkNames(b.client.Context())
	}
	if err == nil {
		err = b.begin(b.client.Context())
	}
	if err != nil {
		return nil, outputError(path, err)
	}
	return b, nil
}

// newBucket returns a layout that is not read yet.
func newBucket(path string, o CreateOptions) (*Bucket, error) {
	at, err := bucket.ParseLocation(path)
	if err != nil {
		return nil, &OutputError{Path: path, Err: err}
	}
	client, err := bucket.New(at.Bucket, o.Buckets.options(path))
	if err != nil {
		return nil, &OutputError{Path: path, Err: err}
	}
	most := memoryOf(o.Buffer)
	return &Bucket{objects: objects{client: client, name: path, prefix: at.Key, index: new(oci.Index)},
		single: o.SingleWriter, hashAll: o.Verify, interrupted: o.Interrupted,
		memory: semaphore.NewWeighted(most), most: most, usage: newUsage()}, nil
}

// begin checks the store, and reads what is there beside index.json.
func (b *Bucket) begin(ctx context.Context) error {
	b.index.TrackOwn()
	b.annotations = maps.Clone(b.index.Annotations)
	if err := b.putLayoutFile(ctx); err != nil {
		return err
	}
	return b.survey(ctx)
}

// survey lists the blobs, and reads prune.json if there is one: before the blobs are listed,
// because what is removed since then changes it. In a small layout one list shows both. While
// there is no prune.json, nothing was ever removed.
func (b *Bucket) survey(ctx context.Context) error {
	l, found := newBlobList(b.client, b.prefix), false
	see := func(name string) { found = found || name == pruneFile }
	whole, err := l.firstPage(ctx, "", see)
	if err == nil && !whole {
		_, err = l.firstPage(ctx, pruneFile, see)
	}
	if err != nil {
		return err
	}
	if found {
		list, err := b.readPruneList(ctx)
		if err != nil {
			return err
		}
		b.pruneTag = list.etag
	}
	if found || !whole {
		l.sizes.Release()
		return b.list(ctx)
	}
	b.setSizes(l.sizes)
	return nil
}

// checkNames returns an error for a prefix with anything but a layout.
func (b *Bucket) checkNames(ctx context.Context) error {
	for o, err := range b.client.ListTop(ctx, b.prefix) {
		if err != nil {
			return err
		}
		switch strings.TrimPrefix(o.Key, b.prefix) {
		case bundle.LayoutFile, bundle.IndexFile, pruneFile, "blobs/", "":
		default:
			return &NotLayoutError{Path: b.name}
		}
	}
	return nil
}

// Path returns the name of the layout, as the user wrote it.
func (b *Bucket) Path() string { return b.name }

// Close does nothing: what was not committed is in no index.json.
func (b *Bucket) Close() error { return nil }

// Sweep does nothing: an unfinished upload is aborted when its blob fails.
func (b *Bucket) Sweep() error { return nil }

// Has reports whether a blob is in the layout: its size is right. With CreateOptions.Verify
// it is hashed, once.
func (b *Bucket) Has(desc ocispec.Descriptor) bool {
	size, err := b.Stat(desc.Digest)
	if err != nil || size != desc.Size {
		return false
	}
	if b.use(desc.Digest) != nil {
		return false // it is stored again, which fails
	}
	if !b.hashAll || b.isHashed(desc.Digest) {
		return true
	}
	if hashBlob(b, desc, func(int64) error { return interruption(b.interrupted) }) != nil {
		return false
	}
	return b.useHashed(desc.Digest) == nil
}

// Push stores a manifest or another small blob, unless the layout has it.
func (b *Bucket) Push(desc ocispec.Descriptor, data []byte) error {
	if err := oci.CheckContent(desc, data); err != nil {
		return err
	}
	if b.Has(desc) {
		return nil
	}
	return b.put(desc, func(ctx context.Context, when bucket.Condition) error {
		_, err := b.client.Put(ctx, b.prefix+bundle.BlobName(desc.Digest), data, when)
		return err
	})
}

// put stores a blob by calling write, on the condition that there is none.
func (b *Bucket) put(desc ocispec.Descriptor, write func(context.Context, bucket.Condition) error) error {
	_, err := b.Stat(desc.Digest)
	when := bucket.Condition{Absent: errors.Is(err, fs.ErrNotExist) && !b.single}
	for removed := 0; ; removed++ {
		err = b.writeBlob(desc, when, write)
		if !errors.Is(err, fs.ErrNotExist) || removed == maxRefusals {
			break
		}
	}
	if err != nil {
		return err
	}
	if err := b.useHashed(desc.Digest); err != nil {
		return err
	}
	return b.setSize(desc.Digest, desc.Size)
}

// writeBlob calls write. A blob that another process has stored since the blobs were listed is
// as good, unless its size is wrong: then it is replaced. If prune has removed it again, the
// error is fs.ErrNotExist.
func (b *Bucket) writeBlob(desc ocispec.Descriptor, when bucket.Condition, write func(context.Context, bucket.Condition) error) error {
	ctx := b.client.Context()
	err := write(ctx, when)
	if !errors.Is(err, bucket.ErrCondition) && !errors.Is(err, bucket.ErrNoUpload) {
		return err
	}
	size, err := b.client.Stat(ctx, b.prefix+bundle.BlobName(desc.Digest))
	if err == nil && size != desc.Size {
		return write(ctx, bucket.Condition{})
	}
	return err
}

func (o *objects) setSize(d digest.Digest, size int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sizes.Set(d, size)
}
