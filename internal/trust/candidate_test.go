package trust

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

// TestBlobsThatAreNotRead: too large, too many, or an attestation as its annotation says.
func TestBlobsThatAreNotRead(t *testing.T) {
	by := testsign.NewKey(t)
	policy := load(t, Policy{Cosign: &Cosign{Keys: []string{publicKey(t, by)}}})
	subject := subjectOf("an image")
	layer := blobOf(simpleSigning, []byte("x"), nil)
	large := blobOf(simpleSigning, []byte("y"), nil)
	large.Size = maxBlob + 1
	for name, c := range map[string]struct {
		manifest ocispec.Manifest
		read     int
		want     error
	}{
		"large":                   {ocispec.Manifest{Layers: []ocispec.Descriptor{large, layer}}, 1, &bounds.Error{}},
		"many":                    {ocispec.Manifest{Layers: slices.Repeat([]ocispec.Descriptor{layer}, maxBlobs+1)}, 0, &bounds.Error{}},
		"as many as there may be": {ocispec.Manifest{Layers: slices.Repeat([]ocispec.Descriptor{layer}, maxBlobs)}, maxBlobs, nil},
		"attestation": {ocispec.Manifest{
			ArtifactType: testsign.BundleType, Layers: []ocispec.Descriptor{blobOf(testsign.BundleType, []byte("x"), nil)},
			Annotations: map[string]string{predicateHint: "https://spdx.dev/Document"},
		}, 0, &AttestationError{}},
		"signature": {ocispec.Manifest{
			ArtifactType: testsign.BundleType, Layers: []ocispec.Descriptor{blobOf(testsign.BundleType, []byte("x"), nil)},
			Annotations: map[string]string{predicateHint: signPredicate},
		}, 1, nil},
	} {
		a := newArtifact(t, c.manifest)
		candidate, ok := policy.Candidate(a.desc, a.manifest)
		if !ok || len(candidate.Blobs) != c.read || !sameKind(candidate.Unread, c.want) {
			t.Errorf("%s: %v, %d blobs, %v", name, ok, len(candidate.Blobs), candidate.Unread)
		}
		if _, err := judge(t, policy, subject, a); !sameKind(err, &engine.UntrustedError{}) || c.want != nil && !sameKind(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOtherManifestsAreNoCandidates: nothing of them is read.
func TestOtherManifestsAreNoCandidates(t *testing.T) {
	key := publicKey(t, testsign.NewKey(t))
	cosign := load(t, Policy{Cosign: &Cosign{Keys: []string{key}}})
	ca := newIssuer(t, "ca")
	n := &Notation{TrustPolicy: trustPolicy(t, strictOffline, `["ca:acme"]`, `["*"]`, `["*"]`), TrustStore: trustStoreOf(t, map[string]issuer{"ca/acme": ca})}
	notation := load(t, Policy{Notation: n})
	either := load(t, Policy{Notation: n, Cosign: &Cosign{Keys: []string{key}}})
	nothing := load(t, Policy{Accept: AcceptNothing})
	plain := newArtifact(t, ocispec.Manifest{Layers: []ocispec.Descriptor{blobOf(ocispec.MediaTypeImageLayer, []byte("x"), nil)}})
	joseOnly := newArtifact(t, ocispec.Manifest{Layers: []ocispec.Descriptor{blobOf(jose, []byte("x"), nil)}})
	index := artifact{manifest: []byte(`{"schemaVersion":2,"manifests":[],"layers":[{"mediaType":"` + simpleSigning + `","digest":"` + digest.FromString("x").String() + `","size":1}]}`)}
	broken := artifact{manifest: []byte(`{"schemaVersion":2,`)}
	tag := tagArtifact(t, testLayer{"x", nil})
	bundle := bundleArtifact(t, []byte("x"))
	signature := notationArtifactOf(t, jose, []byte("x"))
	for name, c := range map[string]struct {
		a    artifact
		want string // the policies that read it
	}{
		"plain": {plain, ""}, "jose": {joseOnly, ""}, "index": {index, ""}, "broken": {broken, ""},
		"tag": {tag, "cosign either"}, "bundle": {bundle, "cosign either"}, "notation": {signature, "notation either"},
	} {
		var of []string
		for _, p := range []struct {
			name   string
			policy engine.Policy
		}{{"cosign", cosign}, {"notation", notation}, {"either", either}, {"nothing", nothing}} {
			if candidate, ok := p.policy.Candidate(c.a.desc, c.a.manifest); ok {
				of = append(of, p.name)
				if candidate.Manifest.Digest != c.a.desc.Digest || len(candidate.Blobs) != 1 {
					t.Errorf("%s: %+v", name, candidate)
				}
			}
		}
		if got := strings.Join(of, " "); got != c.want {
			t.Errorf("%s is a candidate of %q, want %q", name, got, c.want)
		}
	}
}

// TestBlobsThatAreNotThoseAskedFor: what a registry sends is checked before it counts.
func TestBlobsThatAreNotThoseAskedFor(t *testing.T) {
	by := testsign.NewKey(t)
	policy := load(t, Policy{Cosign: &Cosign{Keys: []string{publicKey(t, by)}}})
	subject := subjectOf("an image")
	good := (*sigstore)(nil).Bundle(t, by, testsign.Statement(subject.Descriptor.Digest), proofs{})
	a := bundleArtifact(t, []byte("x"))
	c, _ := policy.Candidate(a.desc, a.manifest)
	for name, read := range map[string]engine.ReadBlob{
		"another": func(context.Context, ocispec.Descriptor) ([]byte, error) { return good, nil },
		"large": func(context.Context, ocispec.Descriptor) ([]byte, error) {
			return bytes.Repeat([]byte("x"), maxBlob+1), nil
		},
		"none": func(context.Context, ocispec.Descriptor) ([]byte, error) { return nil, errors.New("503") },
	} {
		if signedBy, err := policy.Verify(t.Context(), subject, []engine.Candidate{c}, read); signedBy != nil || !sameKind(err, &ReadError{}) {
			t.Errorf("%s: signed by %q, %v", name, signedBy, err)
		}
	}
	padded := append(bytes.Repeat([]byte(" "), maxBlob), good...)
	lying := blobOf(testsign.BundleType, padded, nil)
	lying.Size = 10
	if signedBy, err := judge(t, policy, subject, newArtifact(t, ocispec.Manifest{Layers: []ocispec.Descriptor{lying}}, padded)); signedBy != nil || !sameKind(err, &bounds.Error{}) {
		t.Errorf("larger than its descriptor says: signed by %q, %v", signedBy, err)
	}
	c.Blobs[0].Digest = "sha999:00"
	if _, err := policy.Verify(t.Context(), subject, []engine.Candidate{c}, func(context.Context, ocispec.Descriptor) ([]byte, error) { return nil, nil }); !sameKind(err, &ReadError{}) {
		t.Error(err)
	}
}

// TestPanicIsContained: a library that fails on hostile bytes makes one signature invalid.
func TestPanicIsContained(t *testing.T) {
	signers, err := contained(func() ([]string, error) { panic("index out of range") })
	if signers != nil || !sameKind(err, &FormatError{}) {
		t.Error(signers, err)
	}
}

// TestRefusalsInAMessage: those that are alike are one, and many are counted.
func TestRefusalsInAMessage(t *testing.T) {
	s := newScene(t)
	layer := s.layerOf(s.otherKey, s.image, testRepository, proofs{})
	policy := load(t, s.keyPolicy())
	_, err := judge(t, policy, s.image, tagArtifact(t, layer, layer, layer))
	if n := strings.Count(err.Error(), ErrOtherKey.Error()); n != 1 {
		t.Errorf("%d times the same: %v", n, err)
	}
	var many []artifact
	for range 7 {
		many = append(many, s.bundleOf(s.otherKey, s.image, proofs{}))
	}
	if _, err = judge(t, policy, s.image, many...); strings.Count(err.Error(), ErrOtherKey.Error()) != 5 || !strings.HasSuffix(err.Error(), "; and 2 more") {
		t.Error(err)
	}
}

// TestEverySignerIsListed: the line of an artifact in a lock does not depend on the order.
func TestEverySignerIsListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		p := s.identityPolicy(rootOf{})
		p.Cosign.Keys = []string{publicKey(t, s.key), publicKey(t, s.otherKey)}
		policy := load(t, p)
		all := []artifact{
			s.bundleOf(s.good, s.image, proofs{Log: true}), s.tagOf(s.key, s.image, proofs{}), s.bundleOf(s.key, s.image, proofs{}),
			s.tagOf(s.otherKey, s.image, proofs{}), s.bundleOf(s.evil, s.image, proofs{Log: true}),
		}
		want := slices.Sorted(slices.Values([]string{s.key.Line(t), s.otherKey.Line(t), s.goodSigner()[0]}))
		for range len(all) {
			all = append(all[1:], all[0])
			if signedBy, err := judge(t, policy, s.image, all...); err != nil || !slices.Equal(signedBy, want) {
				t.Errorf("signed by %q, %v; want %q", signedBy, err, want)
			}
		}
	})
}
