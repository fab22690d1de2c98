package testregistry

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"
)

// Media types that image-spec has no names for.
const (
	MediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	MediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	MediaTypeDockerConfig   = "application/vnd.docker.container.image.v1+json"
	MediaTypeDockerLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	// MediaTypeArtifactManifest was only in image-spec 1.1.0-rc2 to rc3; registries still have some.
	MediaTypeArtifactManifest = "application/vnd.oci.artifact.manifest.v1+json"
)

// Seeder adds content to a registry: to a Registry of this package directly, to any other over
// HTTP. It fails the test on an error. The same calls result in the same digests everywhere.
// An empty tag leaves a manifest untagged. Its methods may be called concurrently.
type Seeder struct {
	tb   testing.TB
	sink sink
}

// NewSeeder returns a Seeder that pushes to a registry.
func NewSeeder(tb testing.TB, access Access) *Seeder {
	return &Seeder{tb: tb, sink: &remoteSink{
		access: access,
		client: access.client(),
		repos:  map[string]*remote.Repository{},
	}}
}

// Blob adds a blob without a reference to it.
func (s *Seeder) Blob(repo, mediaType string, data []byte) ocispec.Descriptor {
	s.tb.Helper()
	desc := describe(mediaType, data)
	s.PutBlob(repo, desc, data)
	return desc
}

// PutBlob adds a blob by its descriptor. The digest may be of any algorithm.
func (s *Seeder) PutBlob(repo string, desc ocispec.Descriptor, data []byte) {
	s.tb.Helper()
	if err := s.sink.blob(s.tb.Context(), repo, desc, data); err != nil {
		s.tb.Fatalf("seed %s: blob: %v", repo, err)
	}
}

// PutManifest adds a manifest by its descriptor. The digest may be of any algorithm.
func (s *Seeder) PutManifest(repo, tag string, desc ocispec.Descriptor, data []byte) {
	s.tb.Helper()
	if err := s.sink.manifest(s.tb.Context(), repo, tag, desc, data); err != nil {
		s.tb.Fatalf("seed %s:%s: %v", repo, tag, err)
	}
}

// Manifest adds a document as a manifest: a []byte unchanged, anything else as JSON.
func (s *Seeder) Manifest(repo, tag, mediaType string, document any) ocispec.Descriptor {
	s.tb.Helper()
	data, ok := document.([]byte)
	if !ok {
		var err error
		if data, err = json.Marshal(document); err != nil {
			s.tb.Fatal(err)
		}
	}
	desc := describe(mediaType, data)
	s.PutManifest(repo, tag, desc, data)
	return desc
}

// Image adds an OCI image. Without layers it has only a config.
func (s *Seeder) Image(repo, tag string, layers ...[]byte) ocispec.Descriptor {
	s.tb.Helper()
	config, below := s.content(repo, ocispec.MediaTypeImageConfig, ocispec.MediaTypeImageLayerGzip, layers)
	return s.Manifest(repo, tag, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    config,
		Layers:    below,
	})
}

// DockerImage adds a Docker schema 2 image.
func (s *Seeder) DockerImage(repo, tag string, layers ...[]byte) ocispec.Descriptor {
	s.tb.Helper()
	config, below := s.content(repo, MediaTypeDockerConfig, MediaTypeDockerLayer, layers)
	return s.Manifest(repo, tag, MediaTypeDockerManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: MediaTypeDockerManifest,
		Config:    config,
		Layers:    below,
	})
}

// content adds layers and a config with their digests.
func (s *Seeder) content(repo, configType, layerType string, layers [][]byte) (ocispec.Descriptor, []ocispec.Descriptor) {
	s.tb.Helper()
	image := ocispec.Image{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}}
	image.RootFS.Type = "layers"
	below := []ocispec.Descriptor{}
	for _, layer := range layers {
		desc := s.Blob(repo, layerType, layer)
		below = append(below, desc)
		image.RootFS.DiffIDs = append(image.RootFS.DiffIDs, desc.Digest)
	}
	config, err := json.Marshal(image)
	if err != nil {
		s.tb.Fatal(err)
	}
	return s.Blob(repo, configType, config), below
}

// Index adds an OCI index. Children without a platform get linux/amd64, linux/arm64,
// linux/s390x, linux/ppc64le, then linux/cpu5 and so on.
func (s *Seeder) Index(repo, tag string, children ...ocispec.Descriptor) ocispec.Descriptor {
	s.tb.Helper()
	return s.index(repo, tag, ocispec.MediaTypeImageIndex, children)
}

// DockerList adds a Docker manifest list, with platforms as in Index.
func (s *Seeder) DockerList(repo, tag string, children ...ocispec.Descriptor) ocispec.Descriptor {
	s.tb.Helper()
	return s.index(repo, tag, MediaTypeDockerList, children)
}

func (s *Seeder) index(repo, tag, mediaType string, children []ocispec.Descriptor) ocispec.Descriptor {
	s.tb.Helper()
	list := []ocispec.Descriptor{}
	for i, child := range children {
		if child.Platform == nil {
			child.Platform = &ocispec.Platform{OS: "linux", Architecture: architecture(i)}
		}
		list = append(list, child)
	}
	return s.Manifest(repo, tag, mediaType, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: mediaType,
		Manifests: list,
	})
}

func architecture(i int) string {
	known := []string{"amd64", "arm64", "s390x", "ppc64le"}
	if i < len(known) {
		return known[i]
	}
	return "cpu" + strconv.Itoa(i+1)
}

// Artifact adds an artifact of any type: an image manifest with the empty config, and the
// empty layer if it has no blobs.
func (s *Seeder) Artifact(repo, tag, artifactType string, blobs ...[]byte) ocispec.Descriptor {
	s.tb.Helper()
	return s.artifact(repo, tag, artifactType, nil, blobs)
}

// Referrer adds an artifact whose subject is another manifest.
func (s *Seeder) Referrer(repo string, subject ocispec.Descriptor, artifactType string, blob []byte) ocispec.Descriptor {
	s.tb.Helper()
	return s.artifact(repo, "", artifactType, &subject, [][]byte{blob})
}

func (s *Seeder) artifact(repo, tag, artifactType string, subject *ocispec.Descriptor, blobs [][]byte) ocispec.Descriptor {
	s.tb.Helper()
	s.PutBlob(repo, ocispec.DescriptorEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
	m := ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: artifactType,
		Config:       plain(ocispec.DescriptorEmptyJSON),
		Layers:       []ocispec.Descriptor{},
	}
	if subject != nil {
		bare := plain(*subject)
		m.Subject = &bare
	}
	for _, blob := range blobs {
		m.Layers = append(m.Layers, s.Blob(repo, "application/octet-stream", blob))
	}
	if len(blobs) == 0 {
		m.Layers = append(m.Layers, plain(ocispec.DescriptorEmptyJSON))
	}
	return s.Manifest(repo, tag, ocispec.MediaTypeImageManifest, m)
}

// RetiredArtifact adds an OCI artifact manifest, which image-spec 1.1 dropped. subject may be
// nil.
func (s *Seeder) RetiredArtifact(repo, tag, artifactType string, subject *ocispec.Descriptor, blobs ...[]byte) ocispec.Descriptor {
	s.tb.Helper()
	document := map[string]any{"mediaType": MediaTypeArtifactManifest, "artifactType": artifactType}
	below := []ocispec.Descriptor{}
	for _, blob := range blobs {
		below = append(below, s.Blob(repo, "application/octet-stream", blob))
	}
	document["blobs"] = below
	if subject != nil {
		document["subject"] = plain(*subject)
	}
	return s.Manifest(repo, tag, MediaTypeArtifactManifest, document)
}

// describe returns the descriptor of bytes.
func describe(mediaType string, data []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}

// plain returns a descriptor with only media type, digest and size.
func plain(d ocispec.Descriptor) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
}

// fallbackTag returns the tag with the list of a subject's referrers on a registry without
// the API.
func fallbackTag(subject digest.Digest) string {
	return subject.Algorithm().String() + "-" + subject.Encoded()
}
