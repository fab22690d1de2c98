package store

import (
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// leftOut says that a child was not selected where its index was cut down to
// platforms: that it is not there is no fault.
func leftOut(platforms string, index, child ocispec.Descriptor) bool {
	if platforms == "" || !IsIndex(index.MediaType) {
		return false
	}
	return child.Platform == nil || !selected(platforms, *child.Platform)
}

func selected(platforms string, p ocispec.Platform) bool {
	name := p.OS + "/" + p.Architecture
	for want := range strings.SplitSeq(platforms, ",") {
		if want == name || want == name+"/"+p.Variant {
			return true
		}
	}
	return false
}
