package engine

import (
	"errors"
	"fmt"
	"hash"
	"unique"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/store"
)

// verify tells whether data is what desc says.
func verify(desc ocispec.Descriptor, data []byte) error {
	if int64(len(data)) != desc.Size {
		return fmt.Errorf("%s has %d bytes instead of %d", desc.Digest, len(data), desc.Size)
	}
	if got := desc.Digest.Algorithm().FromBytes(data); got != desc.Digest {
		return fmt.Errorf("%s has the digest %s", desc.Digest, got)
	}
	return nil
}

// isNamed tells whether what has the digest d is what a registry gives the digest
// there: it may name by one algorithm what came by the digest of another.
func isNamed(d, there digest.Digest, data func() ([]byte, error)) bool {
	if d == there || there.Validate() != nil || there.Algorithm() == d.Algorithm() {
		return d == there
	}
	bytes, err := data()
	return err == nil && there.Algorithm().FromBytes(bytes) == there
}

// checkHash tells whether what was hashed is what d says.
func checkHash(d descriptor, h hash.Hash) error {
	if got := digest.NewDigest(d.digest.Algorithm(), h); got != d.digest {
		return &store.MismatchError{Descriptor: d.oci(), Digest: got, Size: d.size}
	}
	return nil
}

// descriptor is the part of a descriptor that a graph keeps: 100,000 artifacts
// have half a million of them. Its media type is one of a few strings.
type descriptor struct {
	mediaType string
	digest    digest.Digest
	size      int64
}

func compact(d ocispec.Descriptor) descriptor {
	return descriptor{mediaType: shared(d.MediaType), digest: d.Digest, size: d.Size}
}

// contentKey tells manifests and blobs apart by their bytes, whatever media types they
// are given.
type contentKey struct {
	digest digest.Digest
	size   int64
}

func (d descriptor) key() contentKey { return contentKey{d.digest, d.size} }

// shared returns the one copy of a text that many manifests have.
func shared(text string) string { return unique.Make(text).Value() }

func (d descriptor) oci() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.mediaType, Digest: d.digest, Size: d.size}
}

// isWrong tells whether what came was other bytes, or another number of them, than
// was asked for. That may be the fault of one answer, so it is worth another one.
func isWrong(err error) bool {
	return isMismatch(err) || errors.Is(err, content.ErrInvalidDescriptorSize) || errors.Is(err, content.ErrTrailingData)
}

func isMismatch(err error) bool {
	var mismatch *store.MismatchError
	return errors.As(err, &mismatch)
}
