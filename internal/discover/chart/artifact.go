package chart

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The media types of a chart in a registry.
const (
	ConfigType = "application/vnd.cncf.helm.config.v1+json"
	LayerType  = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	provType   = "application/vnd.cncf.helm.chart.provenance.v1.prov"
)

// Artifact is a chart as helm push makes it, but without the time of the push, so that the same
// chart has the same bytes each time.
type Artifact struct {
	Descriptor ocispec.Descriptor
	Manifest   []byte
	Blobs      map[digest.Digest][]byte // the config and the provenance
	Archive    ocispec.Descriptor       // the layer that is the .tgz
}

// NewArtifact makes the artifact of a chart whose .tgz has a digest and a size. prov may be nil.
func NewArtifact(m *Metadata, d digest.Digest, size int64, prov []byte) (*Artifact, error) {
	config, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	a := &Artifact{Blobs: make(map[digest.Digest][]byte), Archive: ocispec.Descriptor{MediaType: LayerType, Digest: d, Size: size}}
	layers := []ocispec.Descriptor{a.Archive}
	if prov != nil {
		layers = append(layers, a.add(provType, prov))
	}
	slices.SortFunc(layers, func(a, b ocispec.Descriptor) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	a.Manifest, err = json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, Config: a.add(ConfigType, config), Layers: layers, Annotations: m.ociAnnotations(),
	})
	a.Descriptor = ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(a.Manifest), Size: int64(len(a.Manifest))}
	return a, err
}

func (a *Artifact) add(mediaType string, data []byte) ocispec.Descriptor {
	d := digest.FromBytes(data)
	a.Blobs[d] = data
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
}

// ociAnnotations returns the annotations of the manifest: those of OCI, and those of the chart,
// which replace all but title and version.
func (m *Metadata) ociAnnotations() map[string]string {
	all := make(map[string]string)
	add := func(key, value string) {
		if strings.TrimSpace(value) != "" {
			all[key] = value
		}
	}
	add(ocispec.AnnotationDescription, m.Description)
	add(ocispec.AnnotationTitle, m.Name)
	add(ocispec.AnnotationVersion, m.Version)
	add(ocispec.AnnotationURL, m.Home)
	if len(m.Sources) > 0 {
		add(ocispec.AnnotationSource, m.Sources[0])
	}
	people := make([]string, len(m.Maintainers))
	for i, p := range m.Maintainers {
		people[i] = p.Name
		if p.Email != "" {
			people[i] += " (" + p.Email + ")"
		}
	}
	add(ocispec.AnnotationAuthors, strings.Join(people, ", "))
	for key, value := range m.Annotations {
		if key != ocispec.AnnotationTitle && key != ocispec.AnnotationVersion {
			all[key] = value
		}
	}
	return all
}
