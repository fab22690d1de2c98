// Package content describes manifests and blobs in little memory, and compares bytes with
// their descriptors.
package content

import (
	"unique"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Descriptor is the part of a descriptor that a run keeps: 100,000 artifacts
// have half a million of them. Its media type is one of a few strings.
type Descriptor struct {
	MediaType string
	Digest    digest.Digest
	Size      int64
}

// Of returns the part of d that a run keeps.
func Of(d ocispec.Descriptor) Descriptor {
	return Descriptor{MediaType: Intern(d.MediaType), Digest: d.Digest, Size: d.Size}
}

// Key identifies a manifest or a blob by its bytes, whatever its media type.
type Key struct {
	digest digest.Digest
	Size   int64
}

// Key returns d without its media type.
func (d Descriptor) Key() Key { return Key{d.Digest, d.Size} }

// Intern returns the shared copy of a text that occurs in many manifests.
func Intern(text string) string { return unique.Make(text).Value() }

// OCI returns d as an OCI descriptor.
func (d Descriptor) OCI() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
}
