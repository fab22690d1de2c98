package store

import (
	"errors"
	"io"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/compact"
)

// maxChosen bounds the blobs whose choice is kept, at about 100 bytes each.
const maxChosen = 200_000

// copies chooses among the copies of a blob in several layouts. A blob in one layout alone,
// as nearly all blobs of a delta and its base are, is not hashed for this.
type copies struct {
	mu     sync.Mutex // guards chosen
	chosen map[compact.Digest]uint16
}

// choose returns the number of the first layout with an undamaged copy; 0 if all are damaged.
func (c *copies) choose(d digest.Digest, among []member) int {
	if len(among) < 2 {
		return 0
	}
	key := compact.Of(d)
	c.mu.Lock()
	at, known := c.chosen[key]
	c.mu.Unlock()
	if known {
		return int(at)
	}
	for i, m := range among {
		if isWhole(m.Layout, d) {
			at = uint16(i)
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chosen == nil {
		c.chosen = make(map[compact.Digest]uint16)
	}
	if len(c.chosen) < maxChosen {
		c.chosen[key] = at
	}
	return int(at)
}

// isWhole hashes a blob of a layout. A blob that cannot be read is not whole.
func isWhole(l Layout, d digest.Digest) bool {
	blob, err := l.Open(d)
	if err != nil {
		return false
	}
	defer blob.Close()
	return hashReader(blob, ocispec.Descriptor{Digest: d, Size: blob.Size()}, nil) == nil
}

// cutBlob is n bytes of a blob from an offset on. Size is that of the whole blob.
func cutBlob(blob Blob, off, n int64) (Blob, error) {
	if _, err := io.CopyN(io.Discard, blob, off); err != nil {
		return nil, errors.Join(err, blob.Close())
	}
	return shortBlob{io.LimitReader(blob, n), blob}, nil
}

type shortBlob struct {
	io.Reader
	whole Blob
}

func (c shortBlob) Size() int64  { return c.whole.Size() }
func (c shortBlob) Close() error { return c.whole.Close() }
