package oci

import (
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/platform"
)

// IsLeftOut reports whether a child of an index is not selected where the index is cut down to
// platforms, so that it may be absent. An attestation is selected with the image that it
// describes; a child that names no platform is always selected.
func IsLeftOut(platforms string, index *Manifest, child ocispec.Descriptor) bool {
	if platforms == "" {
		return false
	}
	image, attestation := AttestationOf(child)
	if !attestation {
		return !selects(platforms, child)
	}
	return !slices.ContainsFunc(index.Manifests, func(c ocispec.Descriptor) bool {
		_, attestation := AttestationOf(c)
		return c.Digest == image && !attestation && selects(platforms, c)
	})
}

// selects reports whether a child of an index is selected by its platform. BuildKit writes
// "unknown" for a child that is no image.
func selects(platforms string, child ocispec.Descriptor) bool {
	if child.Platform == nil || child.Platform.OS == "unknown" {
		return true
	}
	image := platform.Platform{OS: child.Platform.OS, Architecture: child.Platform.Architecture, Variant: child.Platform.Variant}
	for word := range strings.SplitSeq(platforms, ",") {
		if p, ok := platform.Parse(word); ok && p.Matches(image) {
			return true
		}
	}
	return false
}
