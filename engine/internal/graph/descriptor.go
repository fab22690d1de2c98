package graph

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

// Verify tells whether data is what desc says.
func Verify(desc ocispec.Descriptor, data []byte) error {
	if int64(len(data)) != desc.Size {
		return fmt.Errorf("%s has %d bytes instead of %d", desc.Digest, len(data), desc.Size)
	}
	if got := desc.Digest.Algorithm().FromBytes(data); got != desc.Digest {
		return fmt.Errorf("%s has the digest %s", desc.Digest, got)
	}
	return nil
}

// IsNamed tells whether what has the digest d is what a registry gives the digest
// there: it may name by one algorithm what came by the digest of another.
func IsNamed(d, there digest.Digest, data func() ([]byte, error)) bool {
	if d == there || there.Validate() != nil || there.Algorithm() == d.Algorithm() {
		return d == there
	}
	bytes, err := data()
	return err == nil && there.Algorithm().FromBytes(bytes) == there
}

// CheckHash tells whether what was hashed is what d says.
func CheckHash(d Descriptor, h hash.Hash) error {
	if got := digest.NewDigest(d.Digest.Algorithm(), h); got != d.Digest {
		return &store.MismatchError{Descriptor: d.OCI(), Digest: got, Size: d.Size}
	}
	return nil
}

// Descriptor is the part of a descriptor that a graph keeps: 100,000 artifacts
// have half a million of them. Its media type is one of a few strings.
type Descriptor struct {
	MediaType string
	Digest    digest.Digest
	Size      int64
}

// Compact returns the part of d that a graph keeps.
func Compact(d ocispec.Descriptor) Descriptor {
	return Descriptor{MediaType: Intern(d.MediaType), Digest: d.Digest, Size: d.Size}
}

// ContentKey tells manifests and blobs apart by their bytes, whatever media types they
// are given.
type ContentKey struct {
	digest digest.Digest
	Size   int64
}

// Key returns d without its media type.
func (d Descriptor) Key() ContentKey { return ContentKey{d.Digest, d.Size} }

// Intern returns the one copy of a text that many manifests have.
func Intern(text string) string { return unique.Make(text).Value() }

// OCI returns d as other packages know it.
func (d Descriptor) OCI() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
}

// IsWrong tells whether what came was other bytes, or another number of them, than
// was asked for. That may be the fault of one answer, so it is worth another one.
func IsWrong(err error) bool {
	return IsMismatch(err) || errors.Is(err, content.ErrInvalidDescriptorSize) || errors.Is(err, content.ErrTrailingData)
}

// IsMismatch tells whether a store found other bytes than were expected.
func IsMismatch(err error) bool {
	_, is := errors.AsType[*store.MismatchError](err)
	return is
}
