package store

import (
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

func selected(platforms string, p ocispec.Platform) bool {
	name := p.OS + "/" + p.Architecture
	if p.Architecture == "arm" && p.Variant == "" {
		p.Variant = "v7" // as containerd has it
	}
	for want := range strings.SplitSeq(platforms, ",") {
		if want == name || want == name+"/"+p.Variant {
			return true
		}
	}
	return false
}
