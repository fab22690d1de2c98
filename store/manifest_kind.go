package store

import (
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// manifestKind says where a manifest has what it points at.
type manifestKind uint8

const (
	kindUnknown  manifestKind = iota
	kindImage                 // config and layers
	kindIndex                 // manifests
	kindArtifact              // blobs, as the retired artifact manifest has it
)

// kindOf knows the media types of manifests, in any case and with any parameters.
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

// IsContent says that content of that media type points at nothing: it is a layer, a
// config, or what BuildKit keeps beside the layers of a cache.
func IsContent(mediaType string) bool {
	mediaType = plainType(mediaType)
	for _, part := range []string{".image.layer.", ".image.rootfs.", ".image.config.", ".container.image.", ".buildkit.cacheconfig."} {
		if strings.Contains(mediaType, part) {
			return true
		}
	}
	return false
}

// IsElsewhere says that no registry has to have a layer (image-spec, "Non-Distributable
// Layers"; Docker's are called foreign): it has URLs of its own.
func IsElsewhere(leaf ocispec.Descriptor) bool {
	mediaType := plainType(leaf.MediaType)
	return len(leaf.URLs) > 0 && (strings.Contains(mediaType, ".nondistributable.") || strings.Contains(mediaType, ".foreign."))
}

// HasInline says that a descriptor has all of what it points at in itself
// (image-spec, "Embedded Content"), and nothing else.
func HasInline(desc ocispec.Descriptor) bool {
	return desc.Data != nil && checkContent(desc, desc.Data) == nil
}

// plainType is a media type in lower case and without parameters (RFC 6838, 4.2).
func plainType(mediaType string) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// classify decides what a manifest is: by the media type that it has itself, else by
// its structure, else by the type that a descriptor declares. Registries and indexes
// declare wrong types (github.com/oras-project/oras/issues/1797), and one that is
// believed costs an artifact what it points at.
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

// structure tells the kind of a manifest by its fields. It is unknown where they are
// of none or of more than one.
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

// areDescriptors tells a list of descriptors from another of the same name:
// BuildKit's cacheconfig has layers, too.
func areDescriptors(list []ocispec.Descriptor) bool {
	return !slices.ContainsFunc(list, func(d ocispec.Descriptor) bool { return d.Digest == "" })
}

// typeOf is the media type of a manifest that has none.
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
