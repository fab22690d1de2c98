package store

import "github.com/opencontainers/go-digest"

// usedMemory is the memory of a blob that a run relies on, and unreadMemory that of a manifest
// that it has not read, with the key and the room of the map.
const (
	usedMemory   = 80
	unreadMemory = 130
)

// usedBlob is what a run knows of a blob that it relies on.
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
func (b *Bucket) use(d digest.Digest) error { return b.useAs(d, 0) }

// useHashed records that this run relies on a blob with verified bytes.
func (b *Bucket) useHashed(d digest.Digest) error { return b.useAs(d, blobHashed) }

// useRead records that this run relies on a manifest and on its graph.
func (b *Bucket) useRead(d digest.Digest) error { return b.useAs(d, blobRead) }

func (b *Bucket) useAs(d digest.Digest, as usedBlob) error {
	b.using.Lock()
	defer b.using.Unlock()
	was, known := b.used.get(d)
	if known && was|as == was {
		return nil
	}
	return b.used.set(d, was|as)
}

func (b *Bucket) isHashed(d digest.Digest) bool { return b.isUsedAs(d, blobHashed) }

func (b *Bucket) isRead(d digest.Digest) bool { return b.isUsedAs(d, blobRead) }

func (b *Bucket) isUsedAs(d digest.Digest, as usedBlob) bool {
	b.using.Lock()
	defer b.using.Unlock()
	is, _ := b.used.get(d)
	return is&as != 0
}
