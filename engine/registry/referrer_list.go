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
	// maxReferrers is far beyond any subject: one that is signed each day for ten
	// years has 3,650. A walk gives up at as many manifests (internal/bounds).
	maxReferrers = 10_000
	// maxReferrerMemory lets each of them have 3 KiB; 500 bytes are usual.
	maxReferrerMemory = 32 << 20
	// doublingMemory is the room that a list which grows by doubling has for one more.
	doublingMemory = 200
)

const listOfReferrers = "a list of referrers"

// referrerList collects the descriptors of a subject's referrers, over as many pages
// as there are.
type referrerList struct {
	all    []ocispec.Descriptor
	memory int64 // that all of them take, roughly
}

// read adds a page: an index, whatever type it is said to have.
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
		return fmt.Errorf("more than %d manifests refer to it", maxReferrers)
	}
	n := doublingMemory + bounds.DescriptorMemory(&desc)
	if l.memory+n > maxReferrerMemory {
		return fmt.Errorf("the list of what refers to it takes more than %d MiB", maxReferrerMemory>>20)
	}
	if err := bounds.Take(n); err != nil {
		return err
	}
	l.memory += n
	l.all = append(l.all, desc)
	return nil
}

// truncate drops what was added to an earlier state of the list.
func (l *referrerList) truncate(to referrerList) {
	bounds.Give(l.memory - to.memory)
	*l = to
}

// release ends the counting of what was kept: what is still needed of it counts where
// it goes.
func (l *referrerList) release() { bounds.Give(l.memory) }

// parseReferrers reads the list under a fallback tag, within the same limits.
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
