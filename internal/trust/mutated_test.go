package trust

import (
	"encoding/pem"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

// mutations is the number of changed signatures that TestMutatedSignatures verifies. The fuzzer
// of Go is of no use here: with the libraries it runs a few inputs a second.
const mutations = 300

// mutated returns b after some changes.
func mutated(r *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	for range 1 + r.IntN(4) {
		if len(b) == 0 {
			return b
		}
		i := r.IntN(len(b))
		j := i + r.IntN(min(30, len(b)-i))
		switch r.IntN(5) {
		case 0:
			b[i] = byte(r.IntN(256))
		case 1:
			b[i] ^= 1 << r.IntN(8)
		case 2:
			b = slices.Delete(b, i, j)
		case 3:
			b = slices.Insert(b, i, b[i:j]...)
		case 4:
			const syntax = `"{}[]:,0123nulAZ=`
			b[i] = syntax[r.IntN(len(syntax))]
		}
	}
	return b
}

// TestMutatedSignatures: no change makes a library panic, and one that does not touch what is
// signed makes no other signer. The panics are not contained here.
func TestMutatedSignatures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		identity, key := load(t, s.identityPolicy(rootOf{})).(*policy).cosign, load(t, s.keyPolicy()).(*policy).cosign
		proven := proofs{Log: true, Timestamp: true}
		bundle := s.Bundle(t, s.good, testsign.Statement(s.image.Descriptor.Digest), proven)
		keyed := s.Bundle(t, s.key, testsign.Statement(s.image.Descriptor.Digest), proofs{})
		layer := s.layerOf(s.good, s.image, testRepository, proven)
		r := rand.New(rand.NewPCG(1, 2))
		accepted := make(map[string]int)
		judged := func(signers []string, err error) {
			if err != nil {
				return
			}
			for _, signer := range signers {
				accepted[signer]++
			}
		}
		judged(identity.verifyBundle(s.image, bundle))
		judged(key.verifyBundle(s.image, keyed))
		judged(identity.verifyPayload(s.image, layer.annotations, []byte(layer.payload)))
		if accepted[s.goodSigner()[0]] != 2 || accepted[s.keySigner()[0]] != 1 {
			t.Fatalf("unchanged: accepted %v", accepted)
		}
		for range mutations {
			judged(identity.verifyBundle(s.image, mutated(r, bundle)))
			judged(key.verifyBundle(s.image, mutated(r, keyed)))
			annotations := maps.Clone(layer.annotations)
			for _, name := range slices.Sorted(maps.Keys(annotations)) {
				if r.IntN(2) == 0 {
					annotations[name] = string(mutated(r, []byte(annotations[name])))
				}
			}
			judged(identity.verifyPayload(s.image, annotations, []byte(layer.payload)))
		}
		delete(accepted, s.goodSigner()[0])
		delete(accepted, s.keySigner()[0])
		if len(accepted) > 0 {
			t.Errorf("accepted %v", accepted)
		}
	})
}

// TestMutatedFiles: a file of a policy that was changed loads or is refused, and no library
// panics.
func TestMutatedFiles(t *testing.T) {
	s := newScene(t)
	key, root := s.key.PEM(t), s.TrustedRoot(rootOf{WithCTLog: true})
	ca := newIssuer(t, "ca")
	document, err := os.ReadFile(trustPolicy(t, strictOffline, `["ca:acme"]`, `["*"]`, `["*"]`))
	if err != nil {
		t.Fatal(err)
	}
	store := trustStoreOf(t, map[string]issuer{"ca/acme": ca})
	certificates, err := filepath.Glob(filepath.Join(store, "x509", "ca", "acme", "*"))
	if err != nil || len(certificates) != 1 {
		t.Fatal(certificates, err)
	}
	path, whole := writeFile(t, "file", nil), writeFile(t, "trustpolicy.json", document)
	identity := Identity{Issuer: testIssuer, Subject: testSubject}
	r := rand.New(rand.NewPCG(3, 4))
	refused := 0
	for range mutations {
		for _, c := range []struct {
			path    string
			content []byte
			policy  Policy
		}{
			{path, key, Policy{Cosign: &Cosign{Keys: []string{path}}}},
			{path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: mutated(r, pemBytes(key))}), Policy{Cosign: &Cosign{Keys: []string{path}}}},
			{path, root, Policy{Cosign: &Cosign{Identities: []Identity{identity}, TrustedRoot: path}}},
			{path, document, Policy{Notation: &Notation{TrustPolicy: path, TrustStore: store}}},
			{certificates[0], ca.pem(), Policy{Notation: &Notation{TrustPolicy: whole, TrustStore: store}}},
		} {
			if err := os.WriteFile(c.path, mutated(r, c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			c.policy.Match = []string{"**"}
			if _, err := Load([]Policy{c.policy}); err != nil {
				refused++
				if !sameKind(err, &PolicyError{}) || len(err.Error()) > 5000 {
					t.Errorf("%.1000v", err)
				}
			}
			if err := os.WriteFile(certificates[0], ca.pem(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if refused < mutations {
		t.Errorf("only %d of %d files were refused", refused, 5*mutations)
	}
}

func pemBytes(data []byte) []byte {
	block, _ := pem.Decode(data)
	return block.Bytes
}
