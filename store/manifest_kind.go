package store

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// manifestKind says which fields of a manifest reference content.
type manifestKind uint8

const (
	kindUnknown  manifestKind = iota
	kindImage                 // config and layers
	kindIndex                 // manifests
	kindArtifact              // blobs, as the retired artifact manifest has it
)

// kindOf returns the kind of a media type, in any case and with any parameters.
func kindOf(mediaType string) manifestKind {
	switch plainType(mediaType) {
	case ocispec.MediaTypeImageManifest, mediaTypeDockerManifest:
		return kindImage
	case ocispec.MediaTypeImageIndex, mediaTypeDockerList:
		return kindIndex
	case mediaTypeArtifact:
		return kindArtifact
	}
	return kindUnknown
}

// IsContent reports whether a media type is that of content without references: a layer, a
// config, or the cache config of BuildKit.
func IsContent(mediaType string) bool {
	mediaType = plainType(mediaType)
	for _, part := range []string{".image.layer.", ".image.rootfs.", ".image.config.", ".container.image.", ".buildkit.cacheconfig."} {
		if strings.Contains(mediaType, part) {
			return true
		}
	}
	return false
}

// IsElsewhere reports whether a layer has URLs of its own, so that a registry need not
// have it (image-spec, "Non-Distributable Layers"; Docker calls them foreign).
func IsElsewhere(leaf ocispec.Descriptor) bool {
	mediaType := plainType(leaf.MediaType)
	return len(leaf.URLs) > 0 && (strings.Contains(mediaType, ".nondistributable.") || strings.Contains(mediaType, ".foreign."))
}

// IsEmptyJSON reports whether a blob is the empty document, the config of what is no image. Everyone
// knows its bytes.
func IsEmptyJSON(d digest.Digest, size int64) bool {
	return d == ocispec.DescriptorEmptyJSON.Digest && size == ocispec.DescriptorEmptyJSON.Size
}

// HasInline reports whether a descriptor has its complete content inline (image-spec,
// "Embedded Content").
func HasInline(desc ocispec.Descriptor) bool {
	return desc.Data != nil && checkContent(desc, desc.Data) == nil
}

// plainType returns a media type in lower case and without parameters (RFC 6838, 4.2).
func plainType(mediaType string) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// classify sets the kind of a manifest: from its own media type, else from its structure,
// else from the type in its descriptor. Registries and indexes declare wrong types
// (github.com/oras-project/oras/issues/1797); to believe one means to lose what the
// manifest references.
func (m *Manifest) classify(declared string) {
	declared = plainType(declared)
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

// areDescriptors distinguishes a list of descriptors from another list of the same name:
// BuildKit's cacheconfig has layers too.
func areDescriptors(list []ocispec.Descriptor) bool {
	return !slices.ContainsFunc(list, func(d ocispec.Descriptor) bool { return d.Digest == "" })
}

// typeOf returns the media type for a manifest that has none.
func typeOf(kind manifestKind) string {
	switch kind {
	case kindImage:
		return ocispec.MediaTypeImageManifest
	case kindIndex:
		return ocispec.MediaTypeImageIndex
	case kindArtifact:
		return mediaTypeArtifact
	}
	return ""
}
