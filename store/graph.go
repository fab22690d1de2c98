package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The media types of manifests that image-spec's Go package does not name.
const (
	mediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	mediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	// mediaTypeArtifact was retired before image-spec 1.1; registries still have some.
	mediaTypeArtifact = "application/vnd.oci.artifact.manifest.v1+json"
)

// IsManifest says that content of that media type points at other content.
func IsManifest(mediaType string) bool {
	switch mediaType {
	case ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex,
		mediaTypeDockerManifest, mediaTypeDockerList, mediaTypeArtifact:
		return true
	}
	return false
}

// Successors returns what a manifest points at: its children, in the order in
// which it names them, and its subject, if it is a referrer. Content of a media
// type that is no manifest has neither.
func Successors(desc ocispec.Descriptor, data []byte) (children []ocispec.Descriptor, subject *ocispec.Descriptor, err error) {
	if desc.MediaType != "" && !IsManifest(desc.MediaType) {
		return nil, nil, nil
	}
	var m struct {
		MediaType                string
		Config, Subject          *ocispec.Descriptor
		Layers, Manifests, Blobs []ocispec.Descriptor
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", desc.Digest, err)
	}
	if desc.MediaType == "" {
		desc.MediaType = m.MediaType
	}
	switch desc.MediaType {
	case ocispec.MediaTypeImageManifest, mediaTypeDockerManifest:
		if m.Config != nil {
			children = append(children, *m.Config)
		}
		children = append(children, m.Layers...)
	case ocispec.MediaTypeImageIndex, mediaTypeDockerList:
		children = m.Manifests
	case mediaTypeArtifact:
		children = m.Blobs
	}
	return children, m.Subject, validate(desc, children, m.Subject)
}

// validate refuses descriptors that nothing can be stored for.
func validate(desc ocispec.Descriptor, children []ocispec.Descriptor, subject *ocispec.Descriptor) error {
	if subject != nil {
		children = append(slices.Clip(children), *subject)
	}
	for _, c := range children {
		if err := c.Digest.Validate(); err != nil {
			return fmt.Errorf("%s: points at %.200q: %w", desc.Digest, c.Digest, err)
		}
		if c.Size < 0 {
			return fmt.Errorf("%s: points at %s of size %d", desc.Digest, c.Digest, c.Size)
		}
	}
	return nil
}

// leftOut says that a child was not selected where its index was cut down to
// platforms: that it is not there is no fault.
func leftOut(platforms string, index, child ocispec.Descriptor) bool {
	if platforms == "" || index.MediaType != ocispec.MediaTypeImageIndex && index.MediaType != mediaTypeDockerList {
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
