package trust

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/notaryproject/notation-go"
	notationsigner "github.com/notaryproject/notation-go/signer"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
)

// issuer is a certificate authority.
type issuer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newIssuer(t *testing.T, name string) issuer {
	t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name, Organization: []string{"Acme"}, Country: []string{"DE"}, Province: []string{"BE"}},
		IsCA:    true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotAfter: time.Now().Add(10 * 365 * 24 * time.Hour),
	}
	return issue(t, issuer{}, template)
}

// leaf issues a certificate that is valid for a day.
func (i issuer) leaf(t *testing.T, name string, usage ...x509.ExtKeyUsage) issuer {
	t.Helper()
	return issue(t, i, &x509.Certificate{
		Subject:  pkix.Name{CommonName: name, Organization: []string{"Acme"}, Country: []string{"DE"}, Province: []string{"BE"}},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: usage, NotAfter: time.Now().Add(24 * time.Hour),
	})
}

// issue issues a certificate, which is its own issuer if by has none.
func issue(t *testing.T, by issuer, template *x509.Certificate) issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by.certificate == nil {
		by = issuer{template, key}
	}
	template.SerialNumber, template.NotBefore = big.NewInt(time.Now().UnixNano()), time.Now()
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return issuer{certificate, key}
}

func (i issuer) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate.Raw})
}

// line is the line for a certificate of notation.
func (i issuer) line() string {
	sum := sha256.Sum256(i.certificate.Raw)
	return "notation " + i.certificate.Subject.String() + " SHA256:" + hex.EncodeToString(sum[:])
}

// notationSign returns a signature of notation.
func notationSign(t *testing.T, by, ca issuer, subject engine.Subject, o notation.SignerSignOptions) artifact {
	t.Helper()
	s, err := notationsigner.NewGenericSigner(by.key, []*x509.Certificate{by.certificate, ca.certificate})
	if err != nil {
		t.Fatal(err)
	}
	envelope, _, err := s.Sign(t.Context(), subject.Descriptor, o)
	if err != nil {
		t.Fatal(err)
	}
	return notationArtifactOf(t, o.SignatureMediaType, envelope)
}

func notationArtifactOf(t *testing.T, mediaType string, envelope []byte) artifact {
	t.Helper()
	config := ocispec.DescriptorEmptyJSON
	config.MediaType = notationArtifact
	return newArtifact(t, ocispec.Manifest{Config: config, Layers: []ocispec.Descriptor{blobOf(mediaType, envelope, nil)}}, envelope)
}

const strictOffline = `{"level": "strict", "override": {"revocation": "skip"}}`

// trustPolicy writes a trust policy with one statement.
func trustPolicy(t *testing.T, verification, stores, identities, scopes string) string {
	t.Helper()
	return writeFile(t, "trustpolicy.json", fmt.Appendf(nil,
		`{"version": "1.0", "trustPolicies": [{"name": "acme", "registryScopes": %s, "signatureVerification": %s, "trustStores": %s, "trustedIdentities": %s}]}`,
		scopes, verification, stores, identities))
}

// trustStoreOf writes a trust store with certificates by type and name, such as "ca/acme".
func trustStoreOf(t *testing.T, certificates map[string]issuer) string {
	t.Helper()
	folder := t.TempDir()
	for name, i := range certificates {
		path := filepath.Join(folder, "x509", filepath.FromSlash(name))
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "ca.pem"), i.pem(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// notationAttack is a row of the table for notation.
type notationAttack struct {
	name         string
	verification string // strictOffline if empty
	identities   string // any if empty
	scopes       string // any if empty
	offered      func(t *testing.T, s *notationScene) artifact
	wait         time.Duration
	signed       bool
	refused      error
}

type notationScene struct {
	ca, leaf, stranger issuer
	image, another     engine.Subject
}

func (s *notationScene) sign(t *testing.T, subject engine.Subject, mediaType string) artifact {
	return notationSign(t, s.leaf, s.ca, subject, notation.SignerSignOptions{SignatureMediaType: mediaType})
}

const jose, cose = "application/jose+json", "application/cose"

func byJOSE(t *testing.T, s *notationScene) artifact { return s.sign(t, s.image, jose) }

func notationAttacks() []notationAttack {
	byStranger := func(t *testing.T, s *notationScene) artifact {
		return notationSign(t, s.stranger.leaf(t, "release"), s.stranger, s.image, notation.SignerSignOptions{SignatureMediaType: jose})
	}
	return []notationAttack{
		{name: "JWS", offered: byJOSE, signed: true},
		{name: "COSE", offered: func(t *testing.T, s *notationScene) artifact { return s.sign(t, s.image, cose) }, signed: true},
		{name: "another authority", offered: byStranger, refused: &SignatureError{}},
		{name: "moved", offered: func(t *testing.T, s *notationScene) artifact { return s.sign(t, s.another, jose) }, refused: &SubjectError{}},
		{name: "expired", offered: byJOSE, wait: 48 * time.Hour, refused: &SignatureError{}},
		{name: "expired, permissive", verification: `{"level": "permissive"}`, offered: byJOSE, wait: 48 * time.Hour, signed: true},
		{name: "another authority, permissive", verification: `{"level": "permissive"}`, offered: byStranger, refused: &SignatureError{}},
		{name: "another identity", identities: `["x509.subject: C=DE, ST=BE, O=Acme, CN=stranger"]`, offered: byJOSE, refused: &SignatureError{}},
		{name: "the identity", identities: `["x509.subject: C=DE, ST=BE, O=Acme, CN=release"]`, offered: byJOSE, signed: true},
		{name: "another scope", scopes: `["ghcr.io/acme/other"]`, offered: byJOSE, refused: &ScopeError{}},
		{name: "the scope", scopes: `["ghcr.io/acme/app"]`, offered: byJOSE, signed: true},
		{name: "not JSON", offered: func(t *testing.T, _ *notationScene) artifact { return notationArtifactOf(t, jose, []byte("{")) }, refused: &SignatureError{}},
		{name: "not CBOR", offered: func(t *testing.T, _ *notationScene) artifact { return notationArtifactOf(t, cose, []byte{0xd2, 0x84}) }, refused: &SignatureError{}},
		{name: "JWS as COSE", offered: func(t *testing.T, s *notationScene) artifact {
			for _, envelope := range s.sign(t, s.image, jose).blobs {
				return notationArtifactOf(t, cose, envelope)
			}
			return artifact{}
		}, refused: &SignatureError{}},
		{name: "past its own expiry", offered: func(t *testing.T, s *notationScene) artifact {
			return notationSign(t, s.leaf, s.ca, s.image, notation.SignerSignOptions{SignatureMediaType: jose, ExpiryDuration: time.Hour})
		}, wait: 2 * time.Hour, refused: &SignatureError{}},
	}
}

func TestAttacksOnNotation(t *testing.T) {
	for _, a := range notationAttacks() {
		t.Run(a.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ca := newIssuer(t, "ca")
				s := &notationScene{ca, ca.leaf(t, "release"), newIssuer(t, "stranger"), subjectOf("an image"), subjectOf("another image")}
				policy := load(t, Policy{Notation: &Notation{
					TrustPolicy: trustPolicy(t, cmp.Or(a.verification, strictOffline), `["ca:acme"]`, cmp.Or(a.identities, `["*"]`), cmp.Or(a.scopes, `["*"]`)),
					TrustStore:  trustStoreOf(t, map[string]issuer{"ca/acme": ca}),
				}})
				offered := a.offered(t, s)
				time.Sleep(a.wait)
				signedBy, err := judge(t, policy, s.image, offered)
				var want []string
				if a.signed {
					want = []string{s.leaf.line()}
				}
				if !slices.Equal(signedBy, want) || !sameKind(err, a.refused) {
					t.Errorf("signed by %q, %v; want %q, %T", signedBy, err, want, a.refused)
				}
			})
		})
	}
}

// TestTrustPoliciesThatAreRefused: what needs a network, or accepts any signer, is no policy.
func TestTrustPoliciesThatAreRefused(t *testing.T) {
	for verification, want := range map[string]error{
		`{"level": "strict"}`: &RevocationError{},
		`{"level": "permissive", "override": {"revocation": "enforce"}}`: &RevocationError{},
		`{"level": "audit"}`: &AuthenticityError{},
		`{"level": "strict", "override": {"authenticity": "log", "revocation": "skip"}}`: &AuthenticityError{},
		`{"level": "loose"}`: &PolicyError{},
	} {
		_, err := Load([]Policy{{Match: []string{"**"}, Notation: &Notation{
			TrustPolicy: trustPolicy(t, verification, `["ca:acme"]`, `["*"]`, `["*"]`),
			TrustStore:  trustStoreOf(t, map[string]issuer{"ca/acme": newIssuer(t, "ca")}),
		}}})
		if !sameKind(err, want) || !strings.Contains(err.Error(), "policies[0].notation.trustPolicy: ") {
			t.Errorf("%s: %v", verification, err)
		}
	}
	if override := (&RevocationError{}).Override(); !strings.Contains(strictOffline, override) {
		t.Errorf("the hint %s is not what the other tests write", override)
	}
}

// TestSkippedStatement: the level skip of notation accepts no signature at all.
func TestSkippedStatement(t *testing.T) {
	_, err := Load([]Policy{{Match: []string{"**"}, Notation: &Notation{
		TrustPolicy: writeFile(t, "trustpolicy.json", []byte(`{"version": "1.0", "trustPolicies": [{"name": "acme", "registryScopes": ["*"], "signatureVerification": {"level": "skip"}}]}`)),
		TrustStore:  t.TempDir(),
	}}})
	if !sameKind(err, &AuthenticityError{}) {
		t.Error(err)
	}
}

// TestTrustStoreThatIsNotThere names the store.
func TestTrustStoreThatIsNotThere(t *testing.T) {
	_, err := Load([]Policy{{Match: []string{"**"}, Notation: &Notation{
		TrustPolicy: trustPolicy(t, strictOffline, `["ca:acme"]`, `["*"]`, `["*"]`),
		TrustStore:  t.TempDir(),
	}}})
	if err == nil || !strings.Contains(err.Error(), `policies[0].notation.trustStore`) || !strings.Contains(err.Error(), "acme") {
		t.Error(err)
	}
}
