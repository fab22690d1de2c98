package engine_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/internal/trust"
)

// signerKey signs as cosign does with a key.
type signerKey struct {
	t   *testing.T
	key *ecdsa.PrivateKey
}

func newSigner(t *testing.T) signerKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signerKey{t, key}
}

// der returns the public key.
func (s signerKey) der() []byte {
	s.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		s.t.Fatal(err)
	}
	return der
}

// line is the line of the key in reports.
func (s signerKey) line() string {
	return fmt.Sprintf("cosign key SHA256:%x", sha256.Sum256(s.der()))
}

// policy accepts the key in repositories that a glob matches.
func (s signerKey) policy(glob string) trust.Policy {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "cosign.pub")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: s.der()}), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return trust.Policy{Match: []string{glob}, Cosign: &trust.Cosign{Keys: []string{path}}}
}

// layer returns the payload for a digest and its descriptor with the signature.
func (s signerKey) layer(d digest.Digest) (payload []byte, desc ocispec.Descriptor) {
	s.t.Helper()
	payload = fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":"example.com/origin"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}`, d)
	sum := sha256.Sum256(payload)
	signature, err := s.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		s.t.Fatal(err)
	}
	return payload, ocispec.Descriptor{MediaType: "application/vnd.dev.cosign.simplesigning.v1+json", Digest: digest.FromBytes(payload), Size: int64(len(payload)),
		Annotations: map[string]string{"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(signature)}}
}

// sign adds a signature of an image to a registry, under the tag of cosign or, with tag false,
// as a referrer.
func (s signerKey) sign(r *testregistry.Registry, repo string, image ocispec.Descriptor, where place) ocispec.Descriptor {
	s.t.Helper()
	return s.signAs(r, repo, image, image.Digest, where)
}

// place is where a signature is kept.
type place string

const (
	asTag      place = "tag"
	asReferrer place = "referrer"
)

// signAs adds a signature of one digest beside an image.
func (s signerKey) signAs(r *testregistry.Registry, repo string, image ocispec.Descriptor, signed digest.Digest, where place) ocispec.Descriptor {
	s.t.Helper()
	payload, layer := s.layer(signed)
	r.PutBlob(repo, layer, payload)
	r.PutBlob(repo, ocispec.DescriptorEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
	config := ocispec.DescriptorEmptyJSON
	config.Data = nil
	m := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: []ocispec.Descriptor{layer}}
	if where == asTag {
		return r.Manifest(repo, cosign.Tag(image.Digest, cosign.Signature), m.MediaType, m)
	}
	m.ArtifactType, m.Subject = "application/vnd.dev.cosign.artifact.sig.v1+json", &image
	return r.Manifest(repo, "", m.MediaType, m)
}

// trusting loads policies.
func trusting(t *testing.T, policies ...trust.Policy) engine.Trust {
	t.Helper()
	all, err := trust.Load(policies)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
