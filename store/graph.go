package store

import (
	"cmp"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
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

// Words that mean the same, and the variants that an image is for which names none, as
// in containerd's package platforms: the names of a selection are written so.
var (
	architectures = map[string]string{"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
	plainVariants = map[string]string{"amd64": "v1", "arm64": "v8", "arm": "v7"}
)

func selected(platforms string, p ocispec.Platform) bool {
	architecture, variant := strings.ToLower(p.Architecture), strings.ToLower(p.Variant)
	architecture = cmp.Or(architectures[architecture], architecture)
	if len(variant) == 1 && strings.HasPrefix(architecture, "arm") {
		variant = "v" + variant
	}
	variant = cmp.Or(variant, plainVariants[architecture])
	name := strings.ToLower(p.OS) + "/" + architecture
	for want := range strings.SplitSeq(platforms, ",") {
		if want == name || want == name+"/"+variant {
			return true
		}
	}
	return false
}
