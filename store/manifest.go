package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// The media types of manifests that image-spec's Go package does not name.
const (
	mediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	mediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	// mediaTypeArtifact was retired before image-spec 1.1; registries still have some.
	mediaTypeArtifact = "application/vnd.oci.artifact.manifest.v1+json"
)

// IsManifest says that content of that media type points at other content.
func IsManifest(mediaType string) bool { return kindOf(mediaType) != kindUnknown }

// IsIndex says that what a manifest of that media type points at are manifests.
func IsIndex(mediaType string) bool { return kindOf(mediaType) == kindIndex }

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
	// MediaType is the one that the manifest gives itself. Where it does not, it is the one
	// that its descriptor gives it, if that is of the kind that the manifest is.
	MediaType     string
	SchemaVersion int
	ArtifactType  string
	Config        *ocispec.Descriptor
	Layers        []ocispec.Descriptor
	Blobs         []ocispec.Descriptor // of the retired artifact manifest
	Manifests     []ocispec.Descriptor // of an index or a list
	Subject       *ocispec.Descriptor
	Annotations   map[string]string

	kind     manifestKind
	declared bool
}

// ParseManifest reads a manifest. Its bytes say what it is, and the media type of
// the descriptor, which another manifest or a header has, only where they do not:
// what is of no kind that is known is carried as it is, and what it may point at is
// not known. A descriptor in it that nothing can be stored for is an error.
func ParseManifest(desc ocispec.Descriptor, data []byte) (*Manifest, error) {
	if _, err := bounds.Weight(data); err != nil {
		return &Manifest{MediaType: desc.MediaType}, fmt.Errorf("%s: %w", desc.Digest, err)
	}
	m, err := decodeManifest(data)
	m.classify(desc.MediaType)
	if m.kind == kindUnknown {
		return &Manifest{MediaType: m.MediaType, SchemaVersion: m.SchemaVersion, declared: m.declared}, nil
	}
	if err != nil {
		return m, fmt.Errorf("%s: %w", desc.Digest, err)
	}
	// A manifest of one kind has no say with the fields of another.
	if m.kind != kindImage {
		m.Config, m.Layers = nil, nil
	}
	if m.kind != kindArtifact {
		m.Blobs = nil
	}
	if m.kind != kindIndex {
		m.Manifests = nil
	}
	return m, m.validate(desc)
}

// ParseChild is ParseManifest for what an index names, which may be a blob: where
// the bytes cannot be a manifest's, the descriptor makes none of them.
func ParseChild(desc ocispec.Descriptor, data []byte) (*Manifest, error) {
	if !MayBeObject(data) {
		return &Manifest{MediaType: desc.MediaType, declared: true}, nil
	}
	return ParseManifest(desc, data)
}

// MayBeObject tells whether content that begins so can be a JSON object, as every
// manifest is.
func MayBeObject(head []byte) bool {
	first := bytes.TrimLeft(head, " \t\r\n")
	return len(first) == 0 && len(head) > 0 || bytes.HasPrefix(first, []byte("{"))
}

// decodeManifest decodes the bytes of a manifest; nothing else does. With an
// error it returns what could be read.
func decodeManifest(data []byte) (*Manifest, error) {
	m := &Manifest{}
	return m, json.Unmarshal(data, m)
}

// IsIndex says that what the manifest points at are manifests.
func (m *Manifest) IsIndex() bool { return m.kind == kindIndex }

// IsKnown says that the kind of the manifest is known, and with it all that it
// points at.
func (m *Manifest) IsKnown() bool { return m.kind != kindUnknown }

// IsDeclared says that MediaType, or the kind, is what a descriptor says and not the
// manifest: another descriptor may make something else of the same bytes.
func (m *Manifest) IsDeclared() bool { return m.declared }

// IsContent says that nothing in the bytes is a manifest's: where an index names
// them, they are a blob.
func (m *Manifest) IsContent() bool { return m.kind == kindUnknown && m.SchemaVersion == 0 }

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
			return fmt.Errorf("%s: references the invalid digest %.200q: %w", desc.Digest, d.Digest, err)
		}
		if d.Size < 0 {
			return fmt.Errorf("%s: references %s with the invalid size %d", desc.Digest, d.Digest, d.Size)
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
