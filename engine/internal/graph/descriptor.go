package graph

import (
	"errors"
	"fmt"
	"hash"
	"unique"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Verify returns an error unless data has the size and the digest of desc.
func Verify(desc ocispec.Descriptor, data []byte) error {
	if int64(len(data)) != desc.Size {
		return fmt.Errorf("%s has %d bytes instead of %d", desc.Digest, len(data), desc.Size)
	}
	if got := desc.Digest.Algorithm().FromBytes(data); got != desc.Digest {
		return fmt.Errorf("%s has the digest %s", desc.Digest, got)
	}
	return nil
}

// IsNamed reports whether the content with the digest d is the content that a registry
// names by the digest there, which may be of another algorithm.
func IsNamed(d, there digest.Digest, data func() ([]byte, error)) bool {
	if d == there || there.Validate() != nil || there.Algorithm() == d.Algorithm() {
		return d == there
	}
	bytes, err := data()
	return err == nil && there.Algorithm().FromBytes(bytes) == there
}

// CheckHash returns a *oci.MismatchError unless h has the digest of d.
func CheckHash(d Descriptor, h hash.Hash) error {
	if got := digest.NewDigest(d.Digest.Algorithm(), h); got != d.Digest {
		return &oci.MismatchError{Descriptor: d.OCI(), Digest: got, Size: d.Size}
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

// ContentKey identifies a manifest or a blob by its bytes, whatever its media type.
type ContentKey struct {
	digest digest.Digest
	Size   int64
}

// Key returns d without its media type.
func (d Descriptor) Key() ContentKey { return ContentKey{d.Digest, d.Size} }

// Intern returns the shared copy of a text that occurs in many manifests.
func Intern(text string) string { return unique.Make(text).Value() }

// OCI returns d as an OCI descriptor.
func (d Descriptor) OCI() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
}

// IsWrong reports whether err says that other bytes came than were requested. One response
// may be at fault, so another request is worth it.
func IsWrong(err error) bool {
	return IsMismatch(err) || errors.Is(err, content.ErrInvalidDescriptorSize) || errors.Is(err, content.ErrTrailingData)
}

// IsMismatch reports whether a store found other bytes than expected.
func IsMismatch(err error) bool {
	_, is := errors.AsType[*oci.MismatchError](err)
	return is
}
