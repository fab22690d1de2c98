package trust

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

// minRSA is the shortest RSA key, in bits, that is accepted (NIST SP 800-131A).
const minRSA = 2048

// key is a public key of a policy.
type key struct {
	// signer is the line for the key, which every artifact that it signed shares. Its digits
	// are those that this command prints:
	//
	//	openssl pkey -pubin -in cosign.pub -outform der | sha256sum
	signer   string
	verifier *verify.Verifier
}

func (k *key) verify(e *entity) bool {
	_, err := k.verifier.Verify(keyed{e}, verify.NewPolicy(e.signed(), verify.WithKey()))
	return err == nil
}

// KeyError says that a file has no public key that a policy can use.
type KeyError struct {
	Path string
	Err  error
}

func (e *KeyError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }

func (e *KeyError) Unwrap() error { return e.Err }

// loadKeys reads the public keys in a PEM file.
func loadKeys(path string) ([]*key, error) {
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) && strings.Index(path, ":/") > 1 {
		return nil, &KeyError{path, errors.New("not a file: the key of a KMS")}
	}
	if err != nil {
		return nil, err
	}
	var keys []*key
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		k, err := parseKey(block)
		if err != nil {
			return nil, &KeyError{path, err}
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 || len(bytes.TrimSpace(data)) > 0 {
		return nil, &KeyError{path, errors.New("not a public key in PEM")}
	}
	return keys, nil
}

func parseKey(block *pem.Block) (*key, error) {
	var public any
	var err error
	switch {
	case block.Type == "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("a private key, where a public key is needed")
	default:
		return nil, fmt.Errorf("PEM of type %q is not a public key", block.Type)
	}
	if err != nil {
		return nil, err
	}
	return newKey(public)
}

// newKey returns a key that verifies every signature that cosign makes with it.
func newKey(public crypto.PublicKey) (*key, error) {
	verifiers, err := hashes(public)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	material := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return root.NewExpiringKey(verifiers, time.Time{}, time.Time{}), nil
	})
	// The owner of a key decides when it signs: no log and no timestamp is needed.
	verifier, err := verify.NewVerifier(material, verify.WithNoObserverTimestamps(), verify.WithoutStatementPredicate())
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	return &key{signer: "cosign key SHA256:" + hex.EncodeToString(sum[:]), verifier: verifier}, nil
}

// hashes returns a verifier for each hash that versions of cosign use with a key.
func hashes(public crypto.PublicKey) (anyHash, error) {
	var load []signature.LoadOption
	withHash := func(h crypto.Hash) signature.LoadOption { return options.WithHash(h) }
	switch public := public.(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSA {
			return nil, fmt.Errorf("an RSA key of %d bits, less than %d", bits, minRSA)
		}
		load = append(load, withHash(crypto.SHA256))
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256():
			load = append(load, withHash(crypto.SHA256))
		case elliptic.P384():
			load = append(load, withHash(crypto.SHA384), withHash(crypto.SHA256))
		case elliptic.P521():
			load = append(load, withHash(crypto.SHA512), withHash(crypto.SHA256))
		default:
			return nil, errors.New("an ECDSA key of an unknown curve")
		}
	case ed25519.PublicKey:
		load = append(load, withHash(crypto.SHA512), options.WithED25519ph())
	default:
		return nil, errors.New("a key that is not ECDSA, RSA or Ed25519")
	}
	var all anyHash
	for _, o := range load {
		v, err := signature.LoadVerifierWithOpts(public, o)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// anyHash accepts a signature that one of its verifiers accepts. All have the same key.
type anyHash []signature.Verifier

func (a anyHash) PublicKey(o ...signature.PublicKeyOption) (crypto.PublicKey, error) {
	return a[0].PublicKey(o...)
}

func (a anyHash) VerifySignature(sig, message io.Reader, o ...signature.VerifyOption) error {
	sigBytes, err := io.ReadAll(sig)
	if err != nil {
		return err
	}
	messageBytes, err := io.ReadAll(message)
	if err != nil {
		return err
	}
	for _, v := range a {
		if err = v.VerifySignature(bytes.NewReader(sigBytes), bytes.NewReader(messageBytes), o...); err == nil {
			return nil
		}
	}
	return err
}
