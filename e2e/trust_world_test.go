package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/notaryproject/notation-go"
	notationregistry "github.com/notaryproject/notation-go/registry"
	notationsigner "github.com/notaryproject/notation-go/signer"
	"oras.land/oras-go/v2/registry/remote"
)

// signer signs images in a registry with real tools: cosign, with a key, and notation-go, with
// a certificate that its trust store has.
type signer struct {
	*desk
	key    *ecdsa.PrivateKey
	chain  []*x509.Certificate
	cosign string
}

const trustPolicy = `{"version": "1.0", "trustPolicies": [{"name": "e2e", "registryScopes": ["*"],
"signatureVerification": {"level": "strict", "override": {"revocation": "skip"}},
"trustStores": ["ca:e2e"], "trustedIdentities": ["*"]}]}`

func newSigner(t *testing.T) *signer {
	t.Helper()
	s := &signer{desk: newDesk(t), cosign: tool(t, "cosign")}
	cmd := s.command(s.cosign, "generate-key-pair")
	cmd.Env = append(cmd.Env, "COSIGN_PASSWORD=")
	s.finish(nil, cmd).exits(0)
	s.makeCertificates()
	s.write("trustpolicy.json", trustPolicy)
	folder := s.path(filepath.Join("truststore", "x509", "ca", "e2e"))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s.write(filepath.Join("truststore", "x509", "ca", "e2e", "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.chain[1].Raw})))
	return s
}

// makeCertificates makes a certificate for signatures, and its authority.
func (s *signer) makeCertificates() {
	s.t.Helper()
	name := func(cn string) pkix.Name {
		return pkix.Name{CommonName: cn, Organization: []string{"Acme"}, Country: []string{"DE"}, Province: []string{"BE"}}
	}
	life := time.Now().Add(24 * time.Hour)
	ca := &x509.Certificate{Subject: name("ca"), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotAfter: life}
	leaf := &x509.Certificate{Subject: name("release"), KeyUsage: x509.KeyUsageDigitalSignature, NotAfter: life}
	caKey := s.newKey()
	authority := s.issue(ca, ca, caKey, caKey)
	s.key = s.newKey()
	s.chain = []*x509.Certificate{s.issue(leaf, authority, s.key, caKey), authority}
}

func (s *signer) newKey() *ecdsa.PrivateKey {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

func (s *signer) issue(template, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) *x509.Certificate {
	s.t.Helper()
	template.SerialNumber, template.NotBefore = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), byKey)
	if err != nil {
		s.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	return certificate
}

// pushSigned pushes four images, three of them signed, and writes the specs with policies and
// without.
func (s *signer) pushSigned(host string) {
	s.t.Helper()
	s.write("content", "signed content")
	for _, repository := range []string{"bundle", "tag", "notation", "unsigned"} {
		s.oras("push", "--plain-http", host+"/team/"+repository+":v1", "content:text/plain")
	}
	s.signCosign(host + "/team/bundle:v1")
	s.signCosign(host+"/team/tag:v1", "--new-bundle-format=false")
	s.signNotation(host + "/team/notation:v1")
	s.write("mirror.yaml", trustSpec(host, true))
	s.write("free.yaml", trustSpec(host, false))
}

// signCosign signs with the key of cosign.
func (s *signer) signCosign(reference string, options ...string) {
	s.t.Helper()
	args := append([]string{"sign", "--yes", "--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false", "--allow-http-registry"}, options...)
	cmd := s.command(s.cosign, append(args, reference)...)
	cmd.Env = append(cmd.Env, "COSIGN_PASSWORD=")
	s.finish(nil, cmd).exits(0)
}

// signNotation signs with the certificate.
func (s *signer) signNotation(reference string) {
	s.t.Helper()
	by, err := notationsigner.NewGenericSigner(s.key, s.chain)
	if err != nil {
		s.t.Fatal(err)
	}
	repository, err := remote.NewRepository(reference)
	if err != nil {
		s.t.Fatal(err)
	}
	repository.PlainHTTP = true
	_, err = notation.Sign(s.t.Context(), by, notationregistry.NewRepository(repository), notation.SignOptions{
		SignerSignOptions: notation.SignerSignOptions{SignatureMediaType: "application/jose+json"}, ArtifactReference: reference})
	if err != nil {
		s.t.Fatal(err)
	}
}
