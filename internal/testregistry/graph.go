package testregistry

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// graph holds the descriptors in any manifest: image, index, Docker's two, and the retired
// artifact manifest.
type graph struct {
	MediaType    string               `json:"mediaType"`
	ArtifactType string               `json:"artifactType"`
	Config       *ocispec.Descriptor  `json:"config"`
	Layers       []ocispec.Descriptor `json:"layers"`
	Blobs        []ocispec.Descriptor `json:"blobs"`
	Manifests    []ocispec.Descriptor `json:"manifests"`
	Subject      *ocispec.Descriptor  `json:"subject"`
	Annotations  map[string]string    `json:"annotations"`
}

// parseGraph parses a manifest. It returns an empty graph for anything else.
func parseGraph(data []byte) graph {
	var g graph
	if json.Unmarshal(data, &g) != nil {
		return graph{}
	}
	return g
}

// blobs returns config and layers, each digest once, without those that a registry need not
// have.
func (g graph) blobs() []ocispec.Descriptor {
	var all []ocispec.Descriptor
	if g.Config != nil {
		all = append(all, *g.Config)
	}
	all = slices.Concat(all, g.Layers, g.Blobs)
	seen := map[digest.Digest]bool{}
	return slices.DeleteFunc(all, func(d ocispec.Descriptor) bool {
		again := seen[d.Digest]
		seen[d.Digest] = true
		return again || elsewhere(d)
	})
}

// elsewhere reports whether a layer may stay at its URLs.
func elsewhere(d ocispec.Descriptor) bool {
	return len(d.URLs) > 0 || strings.Contains(d.MediaType, ".nondistributable.") || strings.Contains(d.MediaType, ".foreign.")
}

// referrer returns the descriptor of the manifest in the list of its subject's referrers,
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers.
func (g graph) referrer(d digest.Digest, m manifest) ocispec.Descriptor {
	artifactType := g.ArtifactType
	if artifactType == "" && g.Config != nil {
		artifactType = g.Config.MediaType
	}
	return ocispec.Descriptor{
		MediaType:    m.mediaType,
		Digest:       d,
		Size:         int64(len(m.data)),
		ArtifactType: artifactType,
		Annotations:  g.Annotations,
	}
}
