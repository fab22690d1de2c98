package engine

import (
	"encoding/json"
	"fmt"
	"hash"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store"
)

// Media types of manifests beside those of OCI: Docker's schema 2, and the
// artifact manifest that image-spec 1.1 retired before its release, which
// registries still hold.
const (
	mediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	mediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	mediaTypeOCIArtifact    = "application/vnd.oci.artifact.manifest.v1+json"
)

// manifest is what a graph needs to know of a manifest: what it points at.
type manifest struct {
	ArtifactType string               `json:"artifactType"`
	Config       *ocispec.Descriptor  `json:"config"`
	Layers       []ocispec.Descriptor `json:"layers"`
	Blobs        []ocispec.Descriptor `json:"blobs"`     // of the retired artifact manifest
	Manifests    []ocispec.Descriptor `json:"manifests"` // of an index or a list
	Subject      *ocispec.Descriptor  `json:"subject"`
	Annotations  map[string]string    `json:"annotations"`
}

// isIndex tells the media types of manifests whose children are manifests.
func isIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == mediaTypeDockerList
}

// parseManifest reads a manifest. One of an unknown media type is a leaf: it is
// carried as it is, and nothing it may point at is known.
func parseManifest(mediaType string, data []byte) (manifest, error) {
	var m manifest
	switch mediaType {
	case ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex,
		mediaTypeDockerManifest, mediaTypeDockerList, mediaTypeOCIArtifact:
	default:
		return m, nil
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("manifest is not valid JSON: %w", err)
	}
	if isIndex(mediaType) {
		m.Config, m.Layers, m.Blobs = nil, nil, nil
	} else {
		m.Manifests = nil
	}
	for _, d := range slices.Concat(m.blobs(), m.Manifests, m.subject()) {
		if err := checkDescriptor(d); err != nil {
			return m, err
		}
	}
	return m, nil
}

// blobs returns the leaves that the manifest points at, the config first.
func (m *manifest) blobs() []ocispec.Descriptor {
	var blobs []ocispec.Descriptor
	if m.Config != nil {
		blobs = append(blobs, *m.Config)
	}
	return append(append(blobs, m.Layers...), m.Blobs...)
}

func (m *manifest) subject() []ocispec.Descriptor {
	if m.Subject == nil {
		return nil
	}
	return []ocispec.Descriptor{*m.Subject}
}

// kind returns the artifact type by which a referrers list names the manifest
// (distribution-spec, "Listing Referrers").
func (m *manifest) kind() string {
	if m.ArtifactType == "" && m.Config != nil {
		return m.Config.MediaType
	}
	return m.ArtifactType
}

func checkDescriptor(d ocispec.Descriptor) error {
	if err := d.Digest.Validate(); err != nil {
		return fmt.Errorf("manifest has a bad digest %q: %w", clip(string(d.Digest)), err)
	}
	if d.Size < 0 {
		return fmt.Errorf("manifest gives %s a size of %d bytes", d.Digest, d.Size)
	}
	return nil
}

// clip shortens what a registry sent, which may be of any length.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

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

// checkHash tells whether what was hashed is what d says.
func checkHash(d descriptor, h hash.Hash) error {
	if got := digest.NewDigest(d.digest.Algorithm(), h); got != d.digest {
		return &store.MismatchError{Descriptor: d.oci(), Digest: got, Size: d.size}
	}
	return nil
}

// descriptor is the part of a descriptor that a graph keeps: 100,000 artifacts
// have half a million of them.
type descriptor struct {
	mediaType string
	digest    digest.Digest
	size      int64
}

func compact(d ocispec.Descriptor) descriptor {
	return descriptor{mediaType: d.MediaType, digest: d.Digest, size: d.Size}
}

func (d descriptor) oci() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.mediaType, Digest: d.digest, Size: d.size}
}
