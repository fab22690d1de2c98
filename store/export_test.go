package store

import (
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// CreateArchive is Create for an archive in a file, which resumes.
func CreateArchive(path string, c bundle.Compression) (*Archive, error) {
	return openArchive(path, c, true, nil)
}

// Successors returns what a manifest references: its children, in order, and its subject,
// if it is a referrer.
func Successors(desc ocispec.Descriptor, data []byte) (children []ocispec.Descriptor, subject *ocispec.Descriptor, err error) {
	m, err := oci.ParseManifest(desc, data)
	return slices.Concat(m.Leaves(), m.Manifests), m.Subject, err
}
