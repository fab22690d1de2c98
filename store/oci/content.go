package oci

import (
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

// CheckContent compares data with its descriptor.
func CheckContent(desc ocispec.Descriptor, data []byte) error {
	if err := desc.Digest.Validate(); err != nil {
		return fmt.Errorf("%.200q: %w", desc.Digest, err)
	}
	got := &MismatchError{Descriptor: desc, Size: int64(len(data))}
	if got.Size != desc.Size {
		return got
	}
	if got.Digest = desc.Digest.Algorithm().FromBytes(data); got.Digest != desc.Digest {
		return got
	}
	return nil
}

// MismatchError reports bytes that do not match their descriptor.
type MismatchError struct {
	Descriptor ocispec.Descriptor
	Size       int64         // of the bytes found
	Digest     digest.Digest // of the bytes found; "" if only the size is known
}

func (e *MismatchError) Error() string {
	if e.Size != e.Descriptor.Size {
		return fmt.Sprintf("%s: expected %d bytes, got %d", e.Descriptor.Digest, e.Descriptor.Size, e.Size)
	}
	return fmt.Sprintf("%s: the content has the digest %s", e.Descriptor.Digest, e.Digest)
}

// Is makes errors.Is(err, content.ErrMismatchedDigest) of oras-go true.
func (e *MismatchError) Is(target error) bool { return target == content.ErrMismatchedDigest }
