package oci

import (
	"bytes"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// AttestationOf reports whether a child of an index is an attestation of BuildKit, and returns
// the digest of its image. Attestations are children of the index of their image, with a platform that
// no machine has (github.com/moby/buildkit, docs/attestations/attestation-storage.md).
func AttestationOf(child ocispec.Descriptor) (image digest.Digest, is bool) {
	is = child.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
	return digest.Digest(child.Annotations["vnd.docker.reference.digest"]), is
}

// Manifest is the part of a manifest of any kind that references other content.
type Manifest struct {
	// MediaType is the type in the manifest itself; if it has none, that of its descriptor,
	// if it is of the same kind.
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

// ParseManifest parses a manifest. Its bytes decide its kind; the media type of the
// descriptor, which comes from another manifest or a header, counts only if they do not. A
// manifest of an unknown kind references nothing that is known. An invalid descriptor in
// it is an error.
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
	// The fields of another kind have no meaning.
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

// ParseChild is ParseManifest for a child of an index, which may be a blob: bytes that
// cannot be a manifest are a blob, whatever the descriptor says.
func ParseChild(desc ocispec.Descriptor, data []byte) (*Manifest, error) {
	if !MayBeObject(data) {
		return &Manifest{MediaType: desc.MediaType, declared: true}, nil
	}
	return ParseManifest(desc, data)
}

// MayBeObject reports whether content with this start may be a JSON object, as every
// manifest is.
func MayBeObject(head []byte) bool {
	first := bytes.TrimLeft(head, " \t\r\n")
	return len(first) == 0 && len(head) > 0 || bytes.HasPrefix(first, []byte("{"))
}

// decodeManifest is the only place that decodes a manifest. With an error it returns the
// fields that it could read.
func decodeManifest(data []byte) (*Manifest, error) {
	m := &Manifest{}
	return m, json.Unmarshal(data, m)
}

// IsIndex reports whether the manifest is an index, which references manifests.
func (m *Manifest) IsIndex() bool { return m.kind == kindIndex }

// IsKnown reports whether the kind of the manifest is known, and with it all that it
// references.
func (m *Manifest) IsKnown() bool { return m.kind != kindUnknown }

// IsDeclared reports whether the kind or MediaType comes from a descriptor, not from the
// manifest: another descriptor may give the same bytes another kind.
func (m *Manifest) IsDeclared() bool { return m.declared }

// IsContent reports whether the bytes have nothing of a manifest: a child of an index with
// such bytes is a blob.
func (m *Manifest) IsContent() bool { return m.kind == kindUnknown && m.SchemaVersion == 0 }

// Leaves returns the blobs that the manifest references, the config first.
func (m *Manifest) Leaves() []ocispec.Descriptor {
	var leaves []ocispec.Descriptor
	if m.Config != nil {
		leaves = append(leaves, *m.Config)
	}
	return append(append(leaves, m.Layers...), m.Blobs...)
}

// Kind returns the artifact type in a list of referrers (distribution-spec, "Listing
// Referrers").
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

// classify sets the kind of a manifest: from its own media type, else from its structure,
// else from the type in its descriptor. Registries and indexes declare wrong types
// (github.com/oras-project/oras/issues/1797); to believe one means to lose what the
// manifest references.
func (m *Manifest) classify(declared string) {
	declared = PlainType(declared)
	m.kind = kindOf(m.MediaType)
	if m.kind == kindUnknown {
		m.kind = m.structure()
	}
	if m.kind == kindUnknown {
		m.kind, m.declared = kindOf(declared), true
	}
	if m.MediaType != "" {
		return
	}
	m.declared = true
	if m.MediaType = declared; kindOf(declared) != m.kind {
		m.MediaType = typeOf(m.kind)
	}
}

// structure returns the kind of a manifest by its fields; unknown if they belong to no
// kind or to several.
func (m *Manifest) structure() manifestKind {
	var kinds []manifestKind
	if m.Manifests != nil && areDescriptors(m.Manifests) {
		kinds = append(kinds, kindIndex)
	}
	if m.Config != nil && m.Config.Digest != "" || len(m.Layers) > 0 && areDescriptors(m.Layers) {
		kinds = append(kinds, kindImage)
	}
	if m.Blobs != nil && areDescriptors(m.Blobs) {
		kinds = append(kinds, kindArtifact)
	}
	if len(kinds) == 1 {
		return kinds[0]
	}
	return kindUnknown
}

// MaxManifest is the size of the largest manifest that is read into memory. Most
// registries accept up to 4 MiB, but the index of a large build exceeded that.
const MaxManifest = 16 << 20
