package trust

import (
	"crypto"
	"encoding/base64"
	"encoding/pem"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

// TestCertificatesOfEveryKind: a certificate verifies what cosign signs with its key, in a
// statement and in a payload.
func TestCertificatesOfEveryKind(t *testing.T) {
	for name, c := range map[string]struct {
		algorithm          protocommon.PublicKeyDetails
		statement, payload crypto.Hash
	}{
		"P-256":   {protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256, crypto.SHA256, crypto.SHA256},
		"P-384":   {protocommon.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384, crypto.SHA384, crypto.SHA384},
		"P-521":   {protocommon.PublicKeyDetails_PKIX_ECDSA_P521_SHA_512, crypto.SHA512, crypto.SHA512},
		"RSA":     {protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256, crypto.SHA256, crypto.SHA256},
		"Ed25519": {protocommon.PublicKeyDetails_PKIX_ED25519, 0, crypto.SHA512},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{sigstore: testsign.NewSigstoreOf(t, c.algorithm), t: t, image: subjectOf("an image")}
				by := s.Identity(testIssuer, testSubject)
				policy := load(t, s.identityPolicy(rootOf{}))
				for _, hash := range []crypto.Hash{c.statement, c.payload} {
					for kind, a := range map[string]artifact{"bundle": s.hashedBundle(by, hash), "tag": s.hashedTag(by, hash)} {
						signedBy, err := judge(t, policy, s.image, a)
						good := kind == "bundle" && hash == c.statement || kind == "tag" && hash == c.payload
						if good != (err == nil) || good != slices.Equal(signedBy, s.goodSigner()) {
							t.Errorf("%s with %v: signed by %q, %v", kind, hash, signedBy, err)
						}
					}
				}
			})
		})
	}
}

// hashedBundle returns a bundle whose signature has a timestamp and that hash.
func (s *scene) hashedBundle(by signer, hash crypto.Hash) artifact {
	statement := testsign.Statement(s.image.Descriptor.Digest)
	plain := s.Bundle(s.t, signer{Key: testsign.NewKey(s.t).Key, Certificate: by.Certificate}, statement, proofs{})
	sig := testsign.SignHashed(s.t, by.Key, hash, testsign.PAE(statement))
	return bundleArtifact(s.t, edited(s.t, plain, func(all map[string]any) {
		envelope(all)["signatures"] = []any{map[string]any{"sig": sig}}
		material(all)["timestampVerificationData"] = map[string]any{"rfc3161Timestamps": []any{map[string]any{"signedTimestamp": s.Timestamp(sig)}}}
	}))
}

// hashedTag returns a tag whose signature has an entry in the log and that hash.
func (s *scene) hashedTag(by signer, hash crypto.Hash) artifact {
	payload := testsign.Payload(s.image.Descriptor.Digest, testRepository)
	l := testLayer{payload, s.Annotations(s.t, signer{Key: testsign.NewKey(s.t).Key, Certificate: by.Certificate}, payload, proofs{})}
	sig := testsign.SignHashed(s.t, by.Key, hash, []byte(payload))
	l.annotations[signatureKey] = base64.StdEncoding.EncodeToString(sig)
	l.annotations[logKey] = s.LogAnnotation(testsign.HashedRekord(s.t, by, max(hash, crypto.SHA256), sig, payload), time.Time{})
	return tagArtifact(s.t, l)
}

// TestChainOfATag: an intermediate certificate may come with the signature, a root may not.
func TestChainOfATag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, stranger := newScene(t), testsign.NewSigstore(t)
		policy := load(t, s.identityPolicy(rootOf{WithoutIntermediate: true}))
		chain := func(s *sigstore) string {
			authority := s.FulcioCertificateAuthorities()[0].(*root.FulcioCertificateAuthority)
			var all []byte
			for _, c := range append(slices.Clone(authority.Intermediates), authority.Root) {
				all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
			}
			return string(all)
		}
		of := func(by signer, chain string) artifact {
			l := s.layerOf(by, s.image, testRepository, proofs{Log: true})
			l.annotations[chainKey] = chain
			return tagArtifact(t, l)
		}
		if signedBy, err := judge(t, policy, s.image, of(s.good, chain(s.sigstore))); !slices.Equal(signedBy, s.goodSigner()) {
			t.Errorf("signed by %q, %v", signedBy, err)
		}
		for name, a := range map[string]artifact{
			"no chain":          of(s.good, ""),
			"another chain":     of(s.good, chain(stranger)),
			"another authority": of(stranger.Identity(testIssuer, testSubject), chain(stranger)),
		} {
			if signedBy, err := judge(t, policy, s.image, a); signedBy != nil || !sameKind(err, &CertificateError{}) {
				t.Errorf("%s: signed by %q, %v", name, signedBy, err)
			}
		}
	})
}

// TestNothingIsPrinted: sigstore-go prints to standard error when it tries an old hash.
func TestNothingIsPrinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{sigstore: testsign.NewSigstoreOf(t, protocommon.PublicKeyDetails_PKIX_ECDSA_P384_SHA_384), t: t, image: subjectOf("an image")}
		offered := s.hashedBundle(s.Identity(testIssuer, testSubject), crypto.SHA256)
		policy := load(t, s.identityPolicy(rootOf{}))
		path := writeFile(t, "stderr", nil)
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		stderr := os.Stderr
		os.Stderr = file
		_, err = judge(t, policy, s.image, offered)
		os.Stderr = stderr
		printed, _ := os.ReadFile(path)
		if len(printed) > 0 || !sameKind(err, &SignatureError{}) {
			t.Errorf("printed %q, %v", printed, err)
		}
	})
}
