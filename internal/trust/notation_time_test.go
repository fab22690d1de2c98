package trust

import (
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/tspclient-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// clock is a timestamp authority of notation.
type clock struct{ leaf, ca issuer }

func newClock(t *testing.T) clock {
	t.Helper()
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	ca := newIssuer(t, "time")
	leaf := issue(t, ca, &x509.Certificate{
		Subject: pkix.Name{CommonName: "clock"}, KeyUsage: x509.KeyUsageDigitalSignature, NotAfter: time.Now().Add(24 * time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}, // timestamping only
	})
	return clock{leaf, ca}
}

// Timestamp answers a request as an authority does, with its certificates.
func (c clock) Timestamp(_ context.Context, request *tspclient.Request) (*tspclient.Response, error) {
	der, err := request.MarshalBinary()
	if err != nil {
		return nil, err
	}
	r, err := timestamp.ParseRequest(der)
	if err != nil {
		return nil, err
	}
	stamp := timestamp.Timestamp{
		HashAlgorithm: r.HashAlgorithm, HashedMessage: r.HashedMessage, Time: time.Now(), Nonce: r.Nonce,
		Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true, Certificates: []*x509.Certificate{c.ca.certificate},
	}
	if der, err = stamp.CreateResponseWithOpts(c.leaf.certificate, c.leaf.key, crypto.SHA256); err != nil {
		return nil, err
	}
	response := &tspclient.Response{}
	return response, response.UnmarshalBinary(der)
}

// TestExpiredCertificateOfNotation: a timestamp by an authority of the trust store proves that
// the certificate was valid; without a network nothing says that it was revoked.
func TestExpiredCertificateOfNotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, good, strange := newIssuer(t, "ca"), newClock(t), newClock(t)
		leaf, subject := ca.leaf(t, "release"), subjectOf("an image")
		policy := load(t, Policy{Notation: &Notation{
			TrustPolicy: trustPolicy(t, strictOffline, `["ca:acme", "tsa:acme"]`, `["*"]`, `["*"]`),
			TrustStore:  trustStoreOf(t, map[string]issuer{"ca/acme": ca, "tsa/acme": good.ca}),
		}})
		roots := x509.NewCertPool()
		roots.AddCert(good.ca.certificate)
		roots.AddCert(strange.ca.certificate)
		by := func(c clock) artifact {
			return notationSign(t, leaf, ca, subject, notation.SignerSignOptions{SignatureMediaType: jose, Timestamper: c, TSARootCAs: roots})
		}
		byGood, byStrange, without := by(good), by(strange), notationSign(t, leaf, ca, subject, notation.SignerSignOptions{SignatureMediaType: jose})
		time.Sleep(48 * time.Hour)
		if signedBy, err := judge(t, policy, subject, byGood); !slices.Equal(signedBy, []string{leaf.line()}) {
			t.Errorf("signed by %q, %v", signedBy, err)
		}
		for name, a := range map[string]artifact{"another authority": byStrange, "no timestamp": without} {
			if signedBy, err := judge(t, policy, subject, a); signedBy != nil || !sameKind(err, &SignatureError{}) {
				t.Errorf("%s: signed by %q, %v", name, signedBy, err)
			}
		}
	})
}

// TestNoPluginRuns: a signature that wants one to verify it is not accepted.
func TestNoPluginRuns(t *testing.T) {
	ca, subject := newIssuer(t, "ca"), subjectOf("an image")
	leaf := ca.leaf(t, "release")
	policy := load(t, Policy{Notation: &Notation{
		TrustPolicy: trustPolicy(t, strictOffline, `["ca:acme"]`, `["*"]`, `["*"]`),
		TrustStore:  trustStoreOf(t, map[string]issuer{"ca/acme": ca}),
	}})
	for name, attributes := range map[string][]signature.Attribute{
		"none":   nil,
		"plugin": {{Key: "io.cncf.notary.verificationPlugin", Critical: true, Value: "sh"}},
	} {
		signer, err := signature.NewLocalSigner([]*x509.Certificate{leaf.certificate, ca.certificate}, leaf.key)
		if err != nil {
			t.Fatal(err)
		}
		envelope, err := jws.NewEnvelope().Sign(&signature.SignRequest{
			Payload: signature.Payload{
				ContentType: "application/vnd.cncf.notary.payload.v1+json",
				Content:     marshal(t, map[string]ocispec.Descriptor{"targetArtifact": subject.Descriptor}),
			},
			Signer: signer, SigningTime: time.Now(), SigningScheme: signature.SigningSchemeX509, ExtendedSignedAttributes: attributes,
		})
		if err != nil {
			t.Fatal(err)
		}
		signedBy, err := judge(t, policy, subject, notationArtifactOf(t, jose, envelope))
		if good := attributes == nil; good != (len(signedBy) == 1) || good == sameKind(err, &SignatureError{}) {
			t.Errorf("%s: signed by %q, %v", name, signedBy, err)
		}
	}
}
