package engine_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/internal/testsign"
	"github.com/oras-mirror/oras-mirror/internal/trust"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// origin is the repository that signatures in tests name.
const origin = "example.com/origin"

// signerKey signs as cosign does with a key.
type signerKey struct {
	testsign.Signer
	t *testing.T
}

func newSigner(t *testing.T) signerKey {
	t.Helper()
	return signerKey{testsign.NewKey(t), t}
}

// line is the line of the key in reports.
func (s signerKey) line() string { return s.Line(s.t) }

// policy accepts the key in repositories that a glob matches.
func (s signerKey) policy(glob string) trust.Policy {
	s.t.Helper()
	return trust.Policy{Match: []string{glob}, Cosign: &trust.Cosign{Keys: []string{writeTemp(s.t, "cosign.pub", s.PEM(s.t))}}}
}

// writeTemp writes a file for a policy, and returns its path.
func writeTemp(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// layer signs a digest.
func (s signerKey) layer(d digest.Digest, where place) testsign.Layer {
	s.t.Helper()
	if where == asBundle {
		return testsign.BundleLayer((*testsign.Sigstore)(nil).Bundle(s.t, s.Signer, testsign.Statement(d), testsign.Proofs{}))
	}
	return (*testsign.Sigstore)(nil).PayloadLayer(s.t, s.Signer, d, origin, testsign.Proofs{})
}

// sign adds a signature of an image to a registry.
func (s signerKey) sign(r *testregistry.Registry, repo string, image ocispec.Descriptor, where place) ocispec.Descriptor {
	s.t.Helper()
	return where.put(r, repo, image, s.layer(image.Digest, where))
}

// place names the place of a signature, and its format.
type place string

const (
	asTag      place = "tag"      // a payload under the tag of cosign
	asReferrer place = "referrer" // a payload as a referrer
	asBundle   place = "bundle"   // a bundle as a referrer
)

// put adds signatures beside an image.
func (p place) put(r *testregistry.Registry, repo string, image ocispec.Descriptor, layers ...testsign.Layer) ocispec.Descriptor {
	if p == asTag {
		return testsign.AsTag(r, repo, image, layers...)
	}
	return testsign.AsReferrer(r, repo, image, layers...)
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

// checkSignatures checks an input as "verify -f" does.
func checkSignatures(t *testing.T, in store.Input, policies engine.Trust) []engine.ArtifactReport {
	t.Helper()
	check, err := source.NewSignatureCheck(t.Context(), in, policies)
	if err != nil {
		t.Fatal(err)
	}
	if stream, is := in.(*store.Stream); is {
		if _, err := store.VerifyStream(t.Context(), stream, verify.Options{Take: check.Take}); err != nil {
			t.Fatal(err)
		}
	}
	var all []engine.ArtifactReport
	if err := check.Each(t.Context(), func(a engine.ArtifactReport) { all = append(all, a) }); err != nil {
		t.Fatal(err)
	}
	return all
}
