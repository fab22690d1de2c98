package trust

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"maps"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

// longKey returns a certificate with a key of a million bits, for which one signature would
// take minutes.
func longKey(t *testing.T) []byte {
	t.Helper()
	by := newIssuer(t, "by")
	modulus := new(big.Int).Lsh(big.NewInt(1), 1<<20)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "long"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
	}, by.certificate, &rsa.PublicKey{N: modulus.Add(modulus, big.NewInt(1)), E: 1<<31 - 1}, by.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestLargeProofs: no library gets a key that takes long.
func TestLargeProofs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		long := longKey(t)
		longPEM := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: long}))
		policy := load(t, s.identityPolicy(rootOf{}))
		good := s.Bundle(t, s.good, testsign.Statement(s.image.Descriptor.Digest), proofs{Log: true, Timestamp: true})
		layer := s.layerOf(s.good, s.image, testRepository, proofs{Log: true, Timestamp: true})
		with := func(key, value string) artifact {
			l := testLayer{layer.payload, maps.Clone(layer.annotations)}
			l.annotations[key] = value
			return tagArtifact(t, l)
		}
		edit := func(f func(map[string]any)) artifact { return bundleArtifact(t, edited(t, good, f)) }
		spaces := bytes.Repeat([]byte(" "), maxEntry+1)
		for name, a := range map[string]artifact{
			"certificate": edit(func(all map[string]any) { material(all)["certificate"] = map[string]any{"rawBytes": long} }),
			"chain": edit(func(all map[string]any) {
				delete(material(all), "certificate")
				material(all)["x509CertificateChain"] = map[string]any{"certificates": []any{map[string]any{"rawBytes": s.good.Certificate.Raw}, map[string]any{"rawBytes": long}}}
			}),
			"timestamp": edit(func(all map[string]any) {
				material(all)["timestampVerificationData"] = map[string]any{"rfc3161Timestamps": []any{map[string]any{"signedTimestamp": long}}}
			}),
			"entry": edit(func(all map[string]any) {
				material(all)["tlogEntries"].([]any)[0].(map[string]any)["canonicalizedBody"] = spaces
			}),
			"certificate of a tag": with(certificateKey, longPEM),
			"chain of a tag":       with(chainKey, longPEM),
			"timestamp of a tag":   with(timestampKey, string(marshal(t, map[string]any{"SignedRFC3161Timestamp": long}))),
			"entry of a tag":       with(logKey, string(marshal(t, map[string]any{"Payload": map[string]any{"body": spaces}}))),
		} {
			if signedBy, err := judge(t, policy, s.image, a); signedBy != nil || !sameKind(err, &bounds.Error{}) {
				t.Errorf("%s: signed by %q, %v", name, signedBy, err)
			}
		}
	})
}

// TestLargeEnvelope: notation gets no chain that takes long.
func TestLargeEnvelope(t *testing.T) {
	ca := newIssuer(t, "ca")
	policy := load(t, Policy{Notation: &Notation{
		TrustPolicy: trustPolicy(t, strictOffline, `["ca:acme"]`, `["*"]`, `["*"]`), TrustStore: trustStoreOf(t, map[string]issuer{"ca/acme": ca}),
	}})
	large := bytes.Repeat([]byte(" "), maxEnvelope+1)
	lying := blobOf(cose, large, nil)
	lying.Size = 10
	config := ocispec.DescriptorEmptyJSON
	config.MediaType = notationArtifact
	for name, a := range map[string]artifact{
		"large": notationArtifactOf(t, jose, large),
		"lying": newArtifact(t, ocispec.Manifest{Config: config, Layers: []ocispec.Descriptor{lying}}, large),
	} {
		if signedBy, err := judge(t, policy, subjectOf("an image"), a); signedBy != nil || !sameKind(err, &bounds.Error{}) {
			t.Errorf("%s: signed by %q, %v", name, signedBy, err)
		}
	}
}

// TestEntryOfRekor2: it has no time, so a timestamp is needed beside it.
func TestEntryOfRekor2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		signed, err := s.AttestHashedRekordV2(testSubject, testIssuer, []byte(testsign.Statement(s.image.Descriptor.Digest)))
		if err != nil {
			t.Fatal(err)
		}
		e := &entity{subject: s.image.Descriptor.Digest}
		e.content, _ = signed.SignatureContent()
		e.certificate, _ = signed.VerificationContent()
		e.entries, _ = signed.TlogEntries()
		e.timestamps, _ = signed.Timestamps()
		identities := load(t, s.identityPolicy(rootOf{})).(*policy).cosign.identities
		if signer, err := identities.verify(e); signer != s.goodSigner()[0] {
			t.Errorf("signed by %q, %v", signer, err)
		}
		e.timestamps = nil
		if signer, err := identities.verify(e); !sameKind(err, &TimeError{}) {
			t.Errorf("signed by %q, %v", signer, err)
		}
	})
}
