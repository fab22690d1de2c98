package store

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

const (
	// listPage is the number of objects in one response.
	listPage = 1000
	// listJobs is the number of lists that are asked for side by side.
	listJobs = 32
	// sizeMemory is the memory of a size, with its key and the room of the map.
	sizeMemory = 100
)

// objectSizes are the sizes of the blobs in a bucket. A million of them take 100 MB.
type objectSizes = compact.Map[int64]

func newObjectSizes() *objectSizes { return compact.NewMap[int64](sizeMemory) }

// listBlobs lists the blobs below a prefix: the first thousand with one request, more of
// them by the first byte of their digest, side by side.
func listBlobs(ctx context.Context, c *bucket.Client, prefix string) (*objectSizes, error) {
	l := newBlobList(c, prefix)
	whole, err := l.firstPage(ctx, "blobs/", func(string) {})
	if err != nil || whole {
		return l.sizes, err
	}
	return l.sizes, l.listAll(ctx)
}

// listParts returns the prefixes whose lists together have all blobs.
func listParts() []string {
	parts := []string{"blobs/sha384/", "blobs/sha512/"}
	for i := range 256 {
		parts = append(parts, fmt.Sprintf("blobs/sha256/%02x", i))
	}
	return parts
}

// blobList collects the sizes of several lists.
type blobList struct {
	client *bucket.Client
	prefix string

	mu    sync.Mutex // guards sizes
	sizes *objectSizes
}

func newBlobList(c *bucket.Client, prefix string) *blobList {
	return &blobList{client: c, prefix: prefix, sizes: newObjectSizes()}
}

// firstPage adds the blobs of one response. It calls saw for each other object, and reports
// whether these were all.
func (l *blobList) firstPage(ctx context.Context, below string, saw func(name string)) (whole bool, err error) {
	n := 0
	for o, err := range l.client.List(ctx, l.prefix+below) {
		if err != nil {
			return false, err
		}
		isBlob, err := l.take(o)
		if err != nil {
			return false, err
		}
		if !isBlob {
			saw(strings.TrimPrefix(o.Key, l.prefix))
		}
		if n++; n == listPage {
			return false, nil
		}
	}
	return true, nil
}

// listAll adds all blobs.
func (l *blobList) listAll(ctx context.Context) error {
	jobs, ctx := errgroup.WithContext(ctx)
	jobs.SetLimit(listJobs)
	for _, part := range listParts() {
		jobs.Go(func() error {
			for o, err := range l.client.List(ctx, l.prefix+part) {
				if err != nil {
					return err
				}
				if _, err := l.take(o); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return jobs.Wait()
}

// take adds an object if it is a blob.
func (l *blobList) take(o bucket.Object) (isBlob bool, err error) {
	d, ok := blobDigest(strings.TrimPrefix(o.Key, l.prefix))
	if !ok {
		return false, nil
	}
	return true, l.add(d, o.Size)
}

func (l *blobList) add(d digest.Digest, size int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.sizes.Get(d); known {
		return nil
	}
	if err := l.sizes.Set(d, size); err != nil {
		return fmt.Errorf("the list of blobs is too large: %w", err)
	}
	return nil
}
