package trust

import (
	"context"
	"io/fs"
	"maps"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

const testRepository = "ghcr.io/acme/app"

// subjectOf returns an image that can be signed.
func subjectOf(content string) engine.Subject {
	return engine.Subject{
		Descriptor: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString(content), Size: int64(len(content))},
		Repository: testRepository,
	}
}

// artifact is a manifest with its blobs, as a registry has it.
type artifact struct {
	desc     ocispec.Descriptor
	manifest []byte
	blobs    map[digest.Digest][]byte
}

func newArtifact(t *testing.T, m ocispec.Manifest, blobs ...[]byte) artifact {
	t.Helper()
	m.Versioned, m.MediaType = specs.Versioned{SchemaVersion: 2}, ocispec.MediaTypeImageManifest
	if m.Config.MediaType == "" {
		m.Config = ocispec.DescriptorEmptyJSON
	}
	a := artifact{manifest: marshal(t, m), blobs: make(map[digest.Digest][]byte)}
	a.desc = ocispec.Descriptor{MediaType: m.MediaType, Digest: digest.FromBytes(a.manifest), Size: int64(len(a.manifest))}
	for _, blob := range blobs {
		a.blobs[digest.FromBytes(blob)] = blob
	}
	return a
}

func blobOf(mediaType string, content []byte, annotations map[string]string) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content)), Annotations: annotations}
}

// bundleArtifact returns a bundle as cosign 3 stores it.
func bundleArtifact(t *testing.T, content []byte) artifact {
	t.Helper()
	return newArtifact(t, ocispec.Manifest{
		ArtifactType: testsign.BundleType, Layers: []ocispec.Descriptor{blobOf(testsign.BundleType, content, nil)},
		Annotations: map[string]string{"dev.sigstore.bundle.content": "dsse-envelope"},
	}, content)
}

// testLayer is a layer of a signature tag.
type testLayer struct {
	payload     string
	annotations map[string]string
}

// tagArtifact returns a signature tag of cosign.
func tagArtifact(t *testing.T, layers ...testLayer) artifact {
	t.Helper()
	m := ocispec.Manifest{Config: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromString("{}"), Size: 2}}
	var blobs [][]byte
	for _, l := range layers {
		m.Layers = append(m.Layers, blobOf(simpleSigning, []byte(l.payload), l.annotations))
		blobs = append(blobs, []byte(l.payload))
	}
	return newArtifact(t, m, blobs...)
}

// publicKey writes the public key of a signer in PEM.
func publicKey(t *testing.T, by signer) string {
	t.Helper()
	return writeFile(t, "key.pub", by.PEM(t))
}

// load loads one policy, which matches every repository.
func load(t *testing.T, p Policy) engine.Policy {
	t.Helper()
	p.Match = []string{"**"}
	all, err := Load([]Policy{p})
	if err != nil {
		t.Fatal(err)
	}
	return all.Policy(testRepository)
}

// judge offers artifacts to a policy, as an engine does, and fails if it reads a blob that
// it did not ask for.
func judge(t *testing.T, p engine.Policy, subject engine.Subject, artifacts ...artifact) ([]string, error) {
	t.Helper()
	blobs := make(map[digest.Digest][]byte)
	var candidates []engine.Candidate
	for _, a := range artifacts {
		c, ok := p.Candidate(a.desc, a.manifest)
		if !ok {
			continue
		}
		candidates = append(candidates, c)
		maps.Copy(blobs, a.blobs)
	}
	return p.Verify(t.Context(), subject, candidates, func(_ context.Context, blob ocispec.Descriptor) ([]byte, error) {
		content, ok := blobs[blob.Digest]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return content, nil
	})
}
