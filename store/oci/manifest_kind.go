package oci

import (
	"bytes"
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
	switch PlainType(mediaType) {
	case ocispec.MediaTypeImageManifest, MediaTypeDockerManifest:
		return kindImage
	case ocispec.MediaTypeImageIndex, MediaTypeDockerList:
		return kindIndex
	case MediaTypeArtifact:
		return kindArtifact
	}
	return kindUnknown
}

// IsContent reports whether a media type is that of content without references: a layer, a
// config, or the cache config of BuildKit.
func IsContent(mediaType string) bool {
	mediaType = PlainType(mediaType)
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
	mediaType := PlainType(leaf.MediaType)
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
	return desc.Data != nil && CheckContent(desc, desc.Data) == nil
}

// PlainType returns a media type in lower case and without parameters (RFC 6838, 4.2).
func PlainType(mediaType string) string {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
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
		return MediaTypeArtifact
	}
	return ""
}

// The media types of manifests that the Go package of image-spec does not name.
const (
	MediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	MediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	// MediaTypeArtifact was retired before image-spec 1.1; registries still have some.
	MediaTypeArtifact = "application/vnd.oci.artifact.manifest.v1+json"
)

// IsManifest reports whether a media type is that of a manifest.
func IsManifest(mediaType string) bool { return kindOf(mediaType) != kindUnknown }

// IsIndex reports whether a media type is that of an index, which references manifests.
func IsIndex(mediaType string) bool { return kindOf(mediaType) == kindIndex }

// IsImage reports whether a media type is that of a manifest that references blobs alone.
func IsImage(mediaType string) bool {
	kind := kindOf(mediaType)
	return kind == kindImage || kind == kindArtifact
}

// LooksLikeManifest distinguishes manifests from configs and layers, which come later in
// an archive of oras-mirror.
func LooksLikeManifest(data []byte) bool {
	data = bytes.TrimSpace(data)
	return bytes.HasPrefix(data, []byte("{")) &&
		(bytes.Contains(data, []byte(`"schemaVersion"`)) || bytes.Contains(data, []byte(`"mediaType"`)))
}
