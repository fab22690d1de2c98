package store

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/limit"
)

// The media types of manifests that image-spec's Go package does not name.
const (
	mediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	mediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	// mediaTypeArtifact was retired before image-spec 1.1; registries still have some.
	mediaTypeArtifact = "application/vnd.oci.artifact.manifest.v1+json"
)

// IsManifest says that content of that media type points at other content.
func IsManifest(mediaType string) bool {
	switch mediaType {
	case ocispec.MediaTypeImageManifest, mediaTypeDockerManifest, mediaTypeArtifact:
		return true
	}
	return IsIndex(mediaType)
}

// IsIndex says that what a manifest of that media type points at are manifests.
func IsIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == mediaTypeDockerList
}

// AttestationOf tells whether a child of an index is one of BuildKit's attestations,
// and of which image: they are children of the index that holds the image which
// they describe, under a platform that no machine has
// (github.com/moby/buildkit, docs/attestations/attestation-storage.md).
func AttestationOf(child ocispec.Descriptor) (image digest.Digest, is bool) {
	is = child.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
	return digest.Digest(child.Annotations["vnd.docker.reference.digest"]), is
}

// Manifest is what a manifest of any kind says of other content.
type Manifest struct {
	MediaType    string
	ArtifactType string
	Config       *ocispec.Descriptor
	Layers       []ocispec.Descriptor
	Blobs        []ocispec.Descriptor // of the retired artifact manifest
	Manifests    []ocispec.Descriptor // of an index or a list
	Subject      *ocispec.Descriptor
	Annotations  map[string]string
}

// ParseManifest reads the manifest of a descriptor. One of an unknown media type
// is a leaf: it is carried as it is, and what it may point at is not known. A
// descriptor in it that nothing can be stored for is an error.
func ParseManifest(desc ocispec.Descriptor, data []byte) (*Manifest, error) {
	m := &Manifest{}
	if desc.MediaType != "" && !IsManifest(desc.MediaType) {
		return m, nil
	}
	if _, err := limit.Weight(data); err != nil {
		return m, fmt.Errorf("%s: %w", desc.Digest, err)
	}
	if err := json.Unmarshal(data, m); err != nil {
		return m, fmt.Errorf("%s: %w", desc.Digest, err)
	}
	if desc.MediaType != "" {
		m.MediaType = desc.MediaType
	}
	// A manifest of one kind has no say with the fields of another.
	switch {
	case IsIndex(m.MediaType):
		m.Config, m.Layers, m.Blobs = nil, nil, nil
	case m.MediaType == mediaTypeArtifact:
		m.Config, m.Layers, m.Manifests = nil, nil, nil
	case IsManifest(m.MediaType):
		m.Blobs, m.Manifests = nil, nil
	default:
		m.Config, m.Layers, m.Blobs, m.Manifests = nil, nil, nil, nil
	}
	return m, m.validate(desc)
}

// Leaves returns the content that the manifest points at and that points at
// nothing itself, the config first.
func (m *Manifest) Leaves() []ocispec.Descriptor {
	var leaves []ocispec.Descriptor
	if m.Config != nil {
		leaves = append(leaves, *m.Config)
	}
	return append(append(leaves, m.Layers...), m.Blobs...)
}

// Kind returns the artifact type by which a list of referrers names the manifest
// (distribution-spec, "Listing Referrers").
func (m *Manifest) Kind() string {
	if m.ArtifactType == "" && m.Config != nil {
		return m.Config.MediaType
	}
	return m.ArtifactType
}

func (m *Manifest) validate(desc ocispec.Descriptor) error {
	all := append(m.Leaves(), m.Manifests...)
	if m.Subject != nil {
		all = append(all, *m.Subject)
	}
	for _, d := range all {
		if err := d.Digest.Validate(); err != nil {
			return fmt.Errorf("%s: points at %.200q: %w", desc.Digest, d.Digest, err)
		}
		if d.Size < 0 {
			return fmt.Errorf("%s: points at %s of size %d", desc.Digest, d.Digest, d.Size)
		}
	}
	return nil
}

// Successors returns what a manifest points at: its children, in the order in
// which it names them, and its subject, if it is a referrer.
func Successors(desc ocispec.Descriptor, data []byte) (children []ocispec.Descriptor, subject *ocispec.Descriptor, err error) {
	m, err := ParseManifest(desc, data)
	return slices.Concat(m.Leaves(), m.Manifests), m.Subject, err
}
