package content

import (
	"errors"
	"fmt"
	"hash"

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
