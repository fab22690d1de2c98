package store

import (
	"cmp"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/platform"
)

// leftOut says that one of the children of an index was not selected where that was
// cut down to platforms: that it is not there is no fault. An attestation goes with
// the image that it describes; what says nothing of a platform is always selected.
func leftOut(platforms string, index *Manifest, child ocispec.Descriptor) bool {
	if platforms == "" {
		return false
	}
	if of, is := AttestationOf(child); is {
		at := slices.IndexFunc(index.Manifests, func(c ocispec.Descriptor) bool { return c.Digest == of })
		return at < 0 || index.Manifests[at].Platform != nil && !selected(platforms, *index.Manifests[at].Platform)
	}
	return child.Platform != nil && child.Platform.OS != "unknown" && !selected(platforms, *child.Platform)
}

func selected(platforms string, p ocispec.Platform) bool {
	os, architecture, variant := platform.Normalize(p.OS, p.Architecture, p.Variant)
	variant = cmp.Or(variant, platform.PlainVariant(architecture))
	name := os + "/" + architecture
	for want := range strings.SplitSeq(platforms, ",") {
		if want == name || want == name+"/"+variant {
			return true
		}
	}
	return false
}
