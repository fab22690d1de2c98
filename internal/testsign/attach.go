package testsign

import (
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/cosign"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// Layer is a blob of a manifest with signatures.
type Layer struct {
	MediaType   string
	Content     []byte
	Annotations map[string]string
}

// BundleLayer returns a layer with a bundle.
func BundleLayer(content []byte) Layer { return Layer{MediaType: BundleType, Content: content} }

// PayloadLayer returns a layer with a payload about a digest in a repository.
func (s *Sigstore) PayloadLayer(tb testing.TB, by Signer, d digest.Digest, repository string, p Proofs) Layer {
	tb.Helper()
	payload := Payload(d, repository)
	return Layer{PayloadType, []byte(payload), s.Annotations(tb, by, payload, p)}
}

// Descriptor returns the descriptor of a layer.
func (l Layer) Descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: l.MediaType, Digest: digest.FromBytes(l.Content), Size: int64(len(l.Content)), Annotations: l.Annotations}
}

// Manifest returns the manifest of layers with signatures.
func Manifest(layers ...Layer) ocispec.Manifest {
	config := ocispec.DescriptorEmptyJSON
	config.Data = nil
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config}
	for _, l := range layers {
		m.Layers = append(m.Layers, l.Descriptor())
	}
	return m
}

// AsTag puts layers with signatures of an image into a registry, under the tag of cosign.
func AsTag(r *testregistry.Registry, repo string, image ocispec.Descriptor, layers ...Layer) ocispec.Descriptor {
	m := putBlobs(r, repo, layers)
	return r.Manifest(repo, cosign.Tag(image.Digest, cosign.Signature), m.MediaType, m)
}

// AsReferrer puts layers with signatures of an image into a registry, as a referrer.
func AsReferrer(r *testregistry.Registry, repo string, image ocispec.Descriptor, layers ...Layer) ocispec.Descriptor {
	m := putBlobs(r, repo, layers)
	m.ArtifactType = "application/vnd.dev.cosign.artifact.sig.v1+json"
	if layers[0].MediaType == BundleType {
		m.ArtifactType = BundleType
	}
	m.Subject = &ocispec.Descriptor{MediaType: image.MediaType, Digest: image.Digest, Size: image.Size}
	return r.Manifest(repo, "", m.MediaType, m)
}

// putBlobs puts the blobs of a manifest with signatures into a registry, and returns the
// manifest.
func putBlobs(r *testregistry.Registry, repo string, layers []Layer) ocispec.Manifest {
	config := ocispec.DescriptorEmptyJSON
	r.PutBlob(repo, config, config.Data)
	for _, l := range layers {
		r.PutBlob(repo, l.Descriptor(), l.Content)
	}
	return Manifest(layers...)
}
