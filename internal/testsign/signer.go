// Package testsign signs artifacts in tests as cosign does: with keys, and with the identities
// of a whole sigstore in the process of the test. It puts the signatures into a test registry.
package testsign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"testing"
)

// Signer is a private key, with a certificate if a sigstore issued one.
type Signer struct {
	Key         crypto.Signer
	Certificate *x509.Certificate
}

// NewKey returns a signer without a certificate.
func NewKey(tb testing.TB) Signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return Signer{Key: key}
}

// PEM returns the public key of a signer.
func (s Signer) PEM(tb testing.TB) []byte {
	tb.Helper()
	return PublicPEM(tb, s.Key.Public())
}

// Line returns the line for the key in reports.
func (s Signer) Line(tb testing.TB) string {
	tb.Helper()
	sum := sha256.Sum256(der(tb, s.Key.Public()))
	return "cosign key SHA256:" + hex.EncodeToString(sum[:])
}

// PublicPEM returns a public key in PEM.
func PublicPEM(tb testing.TB, public crypto.PublicKey) []byte {
	tb.Helper()
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der(tb, public)})
}

func der(tb testing.TB, public crypto.PublicKey) []byte {
	tb.Helper()
	encoded, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		tb.Fatal(err)
	}
	return encoded
}

// Sign signs a message as cosign does with a key.
func Sign(tb testing.TB, key crypto.Signer, message []byte) []byte {
	tb.Helper()
	hash := crypto.SHA256
	if _, ok := key.(ed25519.PrivateKey); ok {
		hash = 0 // signs the message itself
	}
	return SignHashed(tb, key, hash, message)
}

// SignHashed signs the hash of a message; 0 signs the message itself.
func SignHashed(tb testing.TB, key crypto.Signer, hash crypto.Hash, message []byte) []byte {
	tb.Helper()
	if hash != 0 {
		h := hash.New()
		h.Write(message)
		message = h.Sum(nil)
	}
	sig, err := key.Sign(rand.Reader, message, hash)
	if err != nil {
		tb.Fatal(err)
	}
	return sig
}

// marshal encodes a value as JSON.
func marshal(tb testing.TB, v any) []byte {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
