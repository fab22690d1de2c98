package store

import (
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/compact"
)

// usage records what a run relies on in a bucket, so that prune keeps it.
type usage struct {
	using   sync.Mutex                   // guards what follows
	used    *compact.Map[usedBlob]       // blobs that this run relies on
	trusted *compact.Map[unreadManifest] // manifests that it relies on without having read them
}

func newUsage() *usage {
	return &usage{used: compact.NewMap[usedBlob](usedMemory), trusted: compact.NewMap[unreadManifest](unreadMemory)}
}

// usedMemory is the memory of a blob that a run relies on, and unreadMemory that of a manifest
// that it has not read, with the key and the room of the map.
const (
	usedMemory   = 80
	unreadMemory = 130
)

// usedBlob records how a run uses a blob that it relies on.
type usedBlob uint8

const (
	blobHashed usedBlob = 1 << iota // its bytes are verified
	blobRead                        // it is a manifest whose graph is used, too
)

// unreadManifest is a manifest that a run relies on without having read it.
type unreadManifest struct {
	mediaType string
	size      int64
}

// use records that this run relies on a blob.
func (u *usage) use(d digest.Digest) error { return u.useAs(d, 0) }

// useHashed records that this run relies on a blob with verified bytes.
func (u *usage) useHashed(d digest.Digest) error { return u.useAs(d, blobHashed) }

// useRead records that this run relies on a manifest and on its graph.
func (u *usage) useRead(d digest.Digest) error { return u.useAs(d, blobRead) }

func (u *usage) useAs(d digest.Digest, as usedBlob) error {
	u.using.Lock()
	defer u.using.Unlock()
	was, known := u.used.Get(d)
	if known && was|as == was {
		return nil
	}
	return u.used.Set(d, was|as)
}

func (u *usage) isHashed(d digest.Digest) bool { return u.isUsedAs(d, blobHashed) }

func (u *usage) isRead(d digest.Digest) bool { return u.isUsedAs(d, blobRead) }

func (u *usage) isUsedAs(d digest.Digest, as usedBlob) bool {
	u.using.Lock()
	defer u.using.Unlock()
	is, _ := u.used.Get(d)
	return is&as != 0
}

// trust records that this run relies on a manifest that it has not read.
func (u *usage) trust(desc ocispec.Descriptor) error {
	u.using.Lock()
	defer u.using.Unlock()
	return u.trusted.Set(desc.Digest, unreadManifest{desc.MediaType, desc.Size})
}

// takeTrusted removes one of the manifests that were not read, and returns it: a list of all
// would take much memory.
func (u *usage) takeTrusted() (ocispec.Descriptor, bool) {
	u.using.Lock()
	defer u.using.Unlock()
	for d, m := range u.trusted.All() {
		u.trusted.Remove(d)
		return ocispec.Descriptor{MediaType: m.mediaType, Digest: d, Size: m.size}, true
	}
	return ocispec.Descriptor{}, false
}

// usedAmong returns how many of some blobs this run relies on, and the others.
func (u *usage) usedAmong(some []digest.Digest) (n int, others []digest.Digest) {
	u.using.Lock()
	defer u.using.Unlock()
	for _, d := range some {
		if _, used := u.used.Get(d); used {
			n++
		} else {
			others = append(others, d)
		}
	}
	return n, others
}
