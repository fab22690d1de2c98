package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

// TestKeysOfEveryKind: a key verifies what versions of cosign sign with it.
func TestKeysOfEveryKind(t *testing.T) {
	_, ed, _ := ed25519.GenerateKey(nil)
	for name, c := range map[string]struct {
		key    crypto.Signer
		hashes []crypto.Hash
	}{
		"P-256":   {ecdsaKey(t, elliptic.P256()), []crypto.Hash{crypto.SHA256}},
		"P-384":   {ecdsaKey(t, elliptic.P384()), []crypto.Hash{crypto.SHA384, crypto.SHA256}},
		"P-521":   {ecdsaKey(t, elliptic.P521()), []crypto.Hash{crypto.SHA512, crypto.SHA256}},
		"RSA":     {rsaKey(t, 2048), []crypto.Hash{crypto.SHA256}},
		"Ed25519": {ed, []crypto.Hash{0, crypto.SHA512}},
	} {
		t.Run(name, func(t *testing.T) {
			by := signer{Key: c.key}
			policy := load(t, Policy{Cosign: &Cosign{Keys: []string{publicKey(t, testsign.NewKey(t)), publicKey(t, by)}}})
			subject := subjectOf("an image")
			for _, hash := range c.hashes {
				payload := testsign.Payload(subject.Descriptor.Digest, testRepository)
				sig := base64.StdEncoding.EncodeToString(testsign.SignHashed(t, by.Key, hash, []byte(payload)))
				a := tagArtifact(t, testLayer{payload, map[string]string{signatureKey: sig}})
				if signedBy, err := judge(t, policy, subject, a); !slices.Equal(signedBy, []string{by.Line(t)}) {
					t.Errorf("%v: signed by %q, %v", hash, signedBy, err)
				}
			}
			a := bundleArtifact(t, (*sigstore)(nil).Bundle(t, by, testsign.Statement(subject.Descriptor.Digest), proofs{}))
			if signedBy, err := judge(t, policy, subject, a); !slices.Equal(signedBy, []string{by.Line(t)}) {
				t.Errorf("bundle: signed by %q, %v", signedBy, err)
			}
		})
	}
}

func ecdsaKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestKeyFiles reads what tools write, and says what is wrong with other files.
func TestKeyFiles(t *testing.T) {
	one, two := testsign.NewKey(t), testsign.NewKey(t)
	public := func(s signer) string { return string(s.PEM(t)) }
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	private, err := x509.MarshalPKCS8PrivateKey(one.Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		keys int
		want string // what the error has
	}{
		"one":         {text: public(one), keys: 1},
		"two":         {text: public(one) + "\n" + public(two), keys: 2},
		"CRLF":        {text: strings.ReplaceAll(public(one), "\n", "\r\n"), keys: 1},
		"PKCS#1":      {text: block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey(t, 2048).PublicKey)), keys: 1},
		"private":     {text: block("PRIVATE KEY", private), want: "a private key, where a public key is needed"},
		"of cosign":   {text: block("ENCRYPTED SIGSTORE PRIVATE KEY", private), want: "a private key"},
		"certificate": {text: block("CERTIFICATE", newIssuer(t, "ca").certificate.Raw), want: `PEM of type "CERTIFICATE"`},
		"empty":       {want: "not a public key in PEM"},
		"no PEM":      {text: "ssh-ed25519 AAAA", want: "not a public key in PEM"},
		"cut":         {text: public(one)[:100], want: "not a public key in PEM"},
		"rest":        {text: public(one) + public(two)[:100], want: "not a public key in PEM"},
		"no DER":      {text: block("PUBLIC KEY", []byte("x")), want: "asn1"},
		"short RSA":   {text: string(testsign.PublicPEM(t, rsaKey(t, 1024).Public())), want: "an RSA key of 1024 bits"},
		"P-224":       {text: string(testsign.PublicPEM(t, ecdsaKey(t, elliptic.P224()).Public())), want: "unknown curve"},
	} {
		keys, err := loadKeys(writeFile(t, "key.pub", []byte(c.text)))
		if len(keys) != c.keys || (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d keys, %v; want %d, %q", name, len(keys), err, c.keys, c.want)
		}
	}
}

// TestKeyOfAKMS says what is wrong with a key that is no file.
func TestKeyOfAKMS(t *testing.T) {
	for path, is := range map[string]bool{"awskms:/alias/release": true, "keys/missing.pub": false, "C:/keys/missing.pub": false} {
		_, err := loadKeys(path)
		if _, found := errors.AsType[*KeyError](err); err == nil || found != is {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestSha512Subjects: a signature names an artifact by the digest that it has.
func TestSha512Subjects(t *testing.T) {
	by := testsign.NewKey(t)
	policy := load(t, Policy{Cosign: &Cosign{Keys: []string{publicKey(t, by)}}})
	subject := subjectOf("an image")
	subject.Descriptor.Digest = digest.SHA512.FromString("an image")
	for _, d := range []digest.Digest{subject.Descriptor.Digest, digest.FromString("an image")} {
		payload := testsign.Payload(d, testRepository)
		s := (*sigstore)(nil)
		for _, a := range []artifact{
			bundleArtifact(t, s.Bundle(t, by, testsign.Statement(d), proofs{})),
			tagArtifact(t, testLayer{payload, s.Annotations(t, by, payload, proofs{})}),
		} {
			signedBy, err := judge(t, policy, subject, a)
			if good := d == subject.Descriptor.Digest; good != (err == nil) || good != (len(signedBy) == 1) {
				t.Errorf("%s: signed by %q, %v", d, signedBy, err)
			}
		}
	}
}
