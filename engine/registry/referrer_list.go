package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

const (
	// maxReferrers is far more than any subject has: one that is signed each day for ten years
	// has 3,650. A walk stops at the same number of manifests (internal/bounds).
	maxReferrers = 10_000
	// maxReferrerMemory allows 3 KiB for each of them; 500 bytes are usual.
	maxReferrerMemory = 32 << 20
	// doublingMemory is the memory of one more element in a list that grows by doubling.
	doublingMemory = 200
)

const listOfReferrers = "a list of referrers"

// referrerList collects the descriptors of a subject's referrers over all pages.
type referrerList struct {
	all    []ocispec.Descriptor
	memory int64 // of all of them, roughly
}

// read adds a page: an index, whatever its media type.
func (l *referrerList) read(body io.Reader) error {
	d := newDocument(listOfReferrers, body)
	return d.each("manifests", func() error {
		var desc ocispec.Descriptor
		if err := d.decode(&desc); err != nil {
			return err
		}
		return l.add(desc)
	})
}

func (l *referrerList) add(desc ocispec.Descriptor) error {
	if len(l.all) >= maxReferrers {
		return fmt.Errorf("more than %d referrers", maxReferrers)
	}
	n := doublingMemory + bounds.DescriptorMemory(&desc)
	if l.memory+n > maxReferrerMemory {
		return fmt.Errorf("the list of referrers takes more than %d MiB", maxReferrerMemory>>20)
	}
	if err := bounds.Take(n); err != nil {
		return err
	}
	l.memory += n
	l.all = append(l.all, desc)
	return nil
}

// truncate removes what was added since an earlier state of the list.
func (l *referrerList) truncate(to referrerList) {
	bounds.Give(l.memory - to.memory)
	*l = to
}

// release ends the accounting for the list. The callers account for what they keep of it.
func (l *referrerList) release() { bounds.Give(l.memory) }

// parseReferrers parses the list under a fallback tag, within the same limits.
func parseReferrers(data []byte) (ocispec.Index, error) {
	var index ocispec.Index
	var list referrerList
	defer list.release()
	if err := list.read(bytes.NewReader(data)); err != nil {
		return index, err
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return index, &DocumentError{Wanted: listOfReferrers, Err: err}
	}
	return index, nil
}
