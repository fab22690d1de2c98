package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// entity is a signature of cosign in any of its formats, as sigstore-go verifies it.
type entity struct {
	content     verify.SignatureContent
	certificate verify.VerificationContent // nil if there is none
	entries     []*tlog.Entry
	timestamps  [][]byte
	proofErr    error         // why certificate, entries or timestamps could not be read; a key needs none of them
	payload     []byte        // what the signature covers
	subject     digest.Digest // without payload: what the statement names that it covers
}

var _ verify.SignedEntity = (*entity)(nil)

// signed returns what the signature must cover. The result can be used once.
func (e *entity) signed() verify.ArtifactPolicyOption {
	if e.payload != nil {
		return verify.WithArtifact(bytes.NewReader(e.payload))
	}
	raw, _ := hex.DecodeString(e.subject.Encoded()) // a valid digest has hexadecimal digits
	return verify.WithArtifactDigest(e.subject.Algorithm().String(), raw)
}

// checkSignature checks the signature with the key of the certificate, and nothing else.
func (e *entity) checkSignature(material root.TrustedMaterial) error {
	if e.payload != nil {
		return verify.VerifySignatureWithArtifacts(e.content, e.certificate, material, []io.Reader{bytes.NewReader(e.payload)})
	}
	return verify.VerifySignature(e.content, e.certificate, material)
}

func (e *entity) SignatureContent() (verify.SignatureContent, error) { return e.content, nil }

func (e *entity) VerificationContent() (verify.VerificationContent, error) {
	if e.certificate == nil {
		return nil, errors.New("no certificate")
	}
	return e.certificate, nil
}

func (e *entity) TlogEntries() ([]*tlog.Entry, error) { return e.entries, nil }

func (e *entity) Timestamps() ([][]byte, error) { return e.timestamps, nil }

func (e *entity) HasInclusionPromise() bool {
	for _, entry := range e.entries {
		if entry.HasInclusionPromise() {
			return true
		}
	}
	return false
}

func (e *entity) HasInclusionProof() bool {
	for _, entry := range e.entries {
		if entry.HasInclusionProof() {
			return true
		}
	}
	return false
}

// Version returns no version of the bundle format: for those, sigstore-go tries the hashes of
// old clients, and prints to standard error when it does.
func (e *entity) Version() (string, error) { return "", nil }

// keyed is a signature by a key: only the key counts, whatever certificate it has.
type keyed struct{ *entity }

func (keyed) VerificationContent() (verify.VerificationContent, error) { return anyKey{}, nil }

// anyKey says that a key made a signature. The trusted material has one key, with any name.
type anyKey struct{}

var _ verify.VerificationContent = anyKey{}

func (anyKey) CompareKey(any, root.TrustedMaterial) bool        { return false }
func (anyKey) ValidAtTime(time.Time, root.TrustedMaterial) bool { return true }
func (anyKey) Certificate() *x509.Certificate                   { return nil }
func (anyKey) Intermediates() []*x509.Certificate               { return nil }
func (anyKey) PublicKey() verify.PublicKeyProvider              { return anyKey{} }
func (anyKey) Hint() string                                     { return "" }

// chained is a certificate with the intermediate certificates that a signature brings along.
type chained struct {
	verify.VerificationContent
	intermediates []*x509.Certificate
}

func (c chained) Intermediates() []*x509.Certificate { return c.intermediates }
