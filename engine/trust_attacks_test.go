package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/internal/testsign"
	"github.com/oras-mirror/oras-mirror/internal/trust"
)

// attack is an artifact app:v1 in a registry, and a policy that decides about it.
type attack struct {
	name   string
	put    func(*stage) ocispec.Descriptor
	policy func(*stage) trust.Policy // nil: the key alone
	refuse func(error) bool          // the reason; nil if the artifact passes
	op     string                    // "" means verify
	broken bool                      // no backup has it, not even without a policy
}

// stage is the place of an attack.
type stage struct {
	t          *testing.T
	r          *testregistry.Registry
	key, other signerKey
	root       []byte // trusted_root.json of the sigstore
	platforms  string // those that are selected
}

// image puts an image into the repository.
func (s *stage) image(tag, content string) ocispec.Descriptor {
	return s.r.Image("app", tag, []byte(content))
}

// app puts the artifact.
func (s *stage) app() ocispec.Descriptor { return s.image("v1", "layer") }

func (s *stage) selected() []config.Selection {
	s.t.Helper()
	all := selections(s.t, s.r.Host+"/app:v1", s.r.Host+"/free:v1")
	if s.platforms != "" {
		only(s.t, all[:1], s.platforms)
	}
	return all
}

// policies returns the policy of an attack, and one for an artifact that always passes.
func (s *stage) policies(a attack) engine.Trust {
	s.t.Helper()
	p := s.key.policy("**")
	if a.policy != nil {
		p = a.policy(s)
	}
	return trusting(s.t, trust.Policy{Match: []string{"*/free"}, Accept: trust.AcceptUnsigned}, p)
}

func isError[E error](err error) bool { _, is := errors.AsType[E](err); return is }

func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }

const (
	tokenIssuer = "https://token.actions.githubusercontent.com"
	workflow    = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
	evilFlow    = "https://github.com/acme-evil/app/.github/workflows/release.yml@refs/heads/main"
)

// identified returns attacks with a signature by an identity, as a bundle and as a tag. Its
// certificate was issued by a sigstore in the year 2000, and has expired.
func identified(name, subject string, p testsign.Proofs, o testsign.RootOf, accepted trust.Identity, refuse func(error) bool) []attack {
	var both []attack
	for _, where := range []place{asBundle, asTag} {
		both = append(both, attack{name: name + ", " + string(where), refuse: refuse, put: func(s *stage) ocispec.Descriptor {
			image := s.app()
			var layer testsign.Layer
			synctest.Test(s.t, func(t *testing.T) {
				v := testsign.NewSigstore(t)
				s.root = v.TrustedRoot(o)
				by := v.Identity(tokenIssuer, subject)
				if layer = v.PayloadLayer(t, by, image.Digest, origin, p); where == asBundle {
					layer = testsign.BundleLayer(v.Bundle(t, by, testsign.Statement(image.Digest), p))
				}
			})
			where.put(s.r, "app", image, layer)
			return image
		}, policy: func(s *stage) trust.Policy {
			return trust.Policy{Match: []string{"**"}, Cosign: &trust.Cosign{Identities: []trust.Identity{accepted}, TrustedRoot: writeTemp(s.t, "trusted_root.json", s.root)}}
		}})
	}
	return both
}

// attestation puts an attestation by the key, which cosign names in an annotation or not.
func attestation(named bool) func(*stage) ocispec.Descriptor {
	return func(s *stage) ocispec.Descriptor {
		image := s.app()
		const predicate = "https://slsa.dev/provenance/v1"
		layer := testsign.BundleLayer((*testsign.Sigstore)(nil).Bundle(s.t, s.key.Signer, testsign.StatementWith(image.Digest, predicate), testsign.Proofs{}))
		if !named {
			asBundle.put(s.r, "app", image, layer)
			return image
		}
		s.r.PutBlob("app", layer.Descriptor(), layer.Content)
		s.r.PutBlob("app", ocispec.DescriptorEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
		m := testsign.Manifest(layer)
		m.ArtifactType, m.Subject = testsign.BundleType, &image
		m.Annotations = map[string]string{"dev.sigstore.bundle.predicateType": predicate}
		s.r.Manifest("app", "", m.MediaType, m)
		return image
	}
}

// signedWith puts the artifact with layers of a signature that s makes.
func signedWith(where place, layers func(s *stage, image ocispec.Descriptor) []testsign.Layer) func(*stage) ocispec.Descriptor {
	return func(s *stage) ocispec.Descriptor {
		image := s.app()
		where.put(s.r, "app", image, layers(s, image)...)
		return image
	}
}

// changed puts the artifact with a signature whose layer has other bytes.
func changed(where place, change func(string) string) func(*stage) ocispec.Descriptor {
	return signedWith(where, func(s *stage, image ocispec.Descriptor) []testsign.Layer {
		layer := s.key.layer(image.Digest, where)
		layer.Content = []byte(change(string(layer.Content)))
		return []testsign.Layer{layer}
	})
}

// gone removes a layer of the signature from the registry.
func gone(s *stage) ocispec.Descriptor {
	image := s.app()
	s.key.sign(s.r, "app", image, asTag)
	layer := s.key.layer(image.Digest, asTag)
	s.r.Remove("app", layer.Descriptor())
	return image
}

// swapped puts a signed index and replaces one of its images afterwards. The
// signature is moved along. One platform is selected: the index is sparse.
func swapped(s *stage) ocispec.Descriptor {
	amd64, arm64 := onPlatform(s.image("", "amd64"), "amd64"), onPlatform(s.image("", "arm64"), "arm64")
	signed := s.r.Index("app", "", amd64, arm64)
	index := s.r.Index("app", "v1", onPlatform(s.image("", "evil"), "amd64"), arm64)
	asTag.put(s.r, "app", index, s.key.layer(signed.Digest, asTag))
	s.platforms = "linux/amd64"
	return index
}

// forged puts a signed index, and has the registry send another image for the digest of one.
func forged(s *stage) ocispec.Descriptor {
	amd64, arm64 := onPlatform(s.image("", "amd64"), "amd64"), onPlatform(s.image("", "arm64"), "arm64")
	index := s.r.Index("app", "v1", amd64, arm64)
	s.key.sign(s.r, "app", index, asTag)
	s.r.PutManifest("app", "", amd64, []byte(`{"schemaVersion":2,"mediaType":"`+ocispec.MediaTypeImageManifest+`","layers":[]}`))
	s.platforms = "linux/amd64"
	return index
}

// byImage demands a signature of each selected image.
func byImage(s *stage) trust.Policy {
	p := s.key.policy("**")
	p.Signed = engine.SignedImages
	return p
}

func sameRepository(s *stage) trust.Policy {
	p := s.key.policy("**")
	p.Cosign.SameRepository = true
	return p
}

// inIndex puts a signed index of two images. One image is signed and selected.
func inIndex(signed string, where place) func(*stage) ocispec.Descriptor {
	return func(s *stage) ocispec.Descriptor {
		images := map[string]ocispec.Descriptor{"amd64": s.image("", "amd64"), "arm64": s.image("", "arm64")}
		s.key.sign(s.r, "app", images[signed], where)
		index := s.r.Index("app", "v1", onPlatform(images["amd64"], "amd64"), onPlatform(images["arm64"], "arm64"))
		s.key.sign(s.r, "app", index, where)
		s.platforms = "linux/amd64"
		return index
	}
}

// attacksOffline returns the attacks that a backup without a policy brings along.
func attacksOffline() []attack {
	return slices.DeleteFunc(slices.Clone(attacks), func(a attack) bool { return a.broken })
}

// attacks is the table. Each of its rows runs through every command that can meet it.
var attacks = slices.Concat(
	[]attack{
		{name: "unsigned", refuse: isError[*engine.UnsignedError], put: (*stage).app},
		{name: "signed by another key", refuse: is(trust.ErrOtherKey), put: func(s *stage) ocispec.Descriptor {
			image := s.app()
			s.other.sign(s.r, "app", image, asTag)
			return image
		}},
		{name: "moved from another image, tag", refuse: isError[*trust.SubjectError], put: signedWith(asTag, func(s *stage, _ ocispec.Descriptor) []testsign.Layer {
			return []testsign.Layer{s.key.layer(s.image("", "other").Digest, asTag)}
		})},
		{name: "moved from another image, bundle", refuse: isError[*trust.SubjectError], put: signedWith(asBundle, func(s *stage, _ ocispec.Descriptor) []testsign.Layer {
			return []testsign.Layer{s.key.layer(s.image("", "other").Digest, asBundle)}
		})},
		{name: "swapped under a sparse index", refuse: isError[*trust.SubjectError], put: swapped},
		{name: "swapped under its digest", refuse: is(content.ErrMismatchedDigest), op: "fetch", put: forged, broken: true},
		{name: "moved tag", refuse: isError[*engine.UnsignedError], put: func(s *stage) ocispec.Descriptor {
			s.key.sign(s.r, "app", s.app(), asReferrer)
			return s.image("v1", "evil")
		}},
		{name: "accept nothing", refuse: isError[*engine.DeniedError], policy: func(*stage) trust.Policy {
			return trust.Policy{Match: []string{"**"}, Accept: trust.AcceptNothing}
		}, put: func(s *stage) ocispec.Descriptor {
			image := s.app()
			s.key.sign(s.r, "app", image, asTag)
			return image
		}},
		{name: "image of a signed index", refuse: isError[*engine.UnsignedError], policy: byImage, put: func(s *stage) ocispec.Descriptor {
			index := s.r.Index("app", "v1", s.image("", "layer"))
			s.key.sign(s.r, "app", index, asTag)
			return index
		}},
		{name: "selected image is signed, bundle", policy: byImage, put: inIndex("amd64", asBundle)},
		{name: "selected image is signed, tag", policy: byImage, put: inIndex("amd64", asTag)},
		{name: "selected image is unsigned", refuse: isError[*engine.UnsignedError], policy: byImage, put: inIndex("arm64", asTag)},
		{name: "two signatures, one good", put: signedWith(asTag, func(s *stage, image ocispec.Descriptor) []testsign.Layer {
			return []testsign.Layer{s.other.layer(image.Digest, asTag), s.key.layer(image.Digest, asTag)}
		})},
		{name: "two manifests, one good", put: func(s *stage) ocispec.Descriptor {
			image := s.app()
			s.other.sign(s.r, "app", image, asTag)
			s.key.sign(s.r, "app", image, asBundle)
			return image
		}},
		{name: "signature is gone", refuse: isError[*trust.ReadError], put: gone, broken: true},
		{name: "signature is damaged", refuse: isError[*trust.ReadError], broken: true, put: func(s *stage) ocispec.Descriptor {
			image := s.app()
			s.key.sign(s.r, "app", image, asTag)
			s.r.PutBlob("app", s.key.layer(image.Digest, asTag).Descriptor(), []byte("{}"))
			return image
		}},
		{name: "signature is cut, tag", refuse: isError[*trust.FormatError], put: changed(asTag, func(text string) string { return text[:20] })},
		{name: "signature is cut, bundle", refuse: isError[*trust.FormatError], put: changed(asBundle, func(text string) string { return text[:20] })},
		{name: "signature is changed", refuse: is(trust.ErrOtherKey), put: changed(asTag, func(text string) string { return text + " " })},
		{name: "signature is too large", refuse: isError[*bounds.Error], put: changed(asBundle, func(text string) string { return text + strings.Repeat(" ", 1<<20) })},
		{name: "attestation alone", refuse: isError[*trust.AttestationError], put: attestation(false)},
		{name: "attestation alone, named so", refuse: isError[*trust.AttestationError], put: attestation(true)},
		{name: "origin in the payload", put: func(s *stage) ocispec.Descriptor {
			image := s.app()
			s.key.sign(s.r, "app", image, asTag)
			return image
		}},
		{name: "origin in the payload, sameRepository", refuse: isError[*trust.RepositoryError], policy: sameRepository, put: func(s *stage) ocispec.Descriptor {
			image := s.app()
			s.key.sign(s.r, "app", image, asTag)
			return image
		}},
	},
	identified("expired, in the log", workflow, testsign.Proofs{Log: true}, testsign.RootOf{}, trust.Identity{Issuer: tokenIssuer, Subject: workflow}, nil),
	identified("expired, with a timestamp", workflow, testsign.Proofs{Timestamp: true}, testsign.RootOf{}, trust.Identity{Issuer: tokenIssuer, Subject: workflow}, nil),
	identified("expired, without proof", workflow, testsign.Proofs{}, testsign.RootOf{}, trust.Identity{Issuer: tokenIssuer, Subject: workflow}, isError[*trust.TimeError]),
	identified("logged after it expired", workflow, testsign.Proofs{Log: true, LogTime: time.Date(2000, 1, 1, 0, 30, 0, 0, time.UTC)}, testsign.RootOf{},
		trust.Identity{Issuer: tokenIssuer, Subject: workflow}, isError[*trust.TimeError]),
	identified("trusted root without the log", workflow, testsign.Proofs{Log: true}, testsign.RootOf{WithoutLog: true},
		trust.Identity{Issuer: tokenIssuer, Subject: workflow}, isError[*trust.TimeError]),
	identified("identity by a pattern", workflow, testsign.Proofs{Log: true}, testsign.RootOf{},
		trust.Identity{Issuer: tokenIssuer, SubjectPattern: `https://github\.com/acme/.+`}, nil),
	identified("identity by a prefix", evilFlow, testsign.Proofs{Log: true}, testsign.RootOf{},
		trust.Identity{Issuer: tokenIssuer, SubjectPattern: `https://github\.com/acme`}, isError[*trust.IdentityError]),
	identified("identity of another owner", evilFlow, testsign.Proofs{Log: true}, testsign.RootOf{},
		trust.Identity{Issuer: tokenIssuer, SubjectPattern: `https://github\.com/acme/.+`}, isError[*trust.IdentityError]),
	identified("identity by a part", "me@example.com", testsign.Proofs{Log: true}, testsign.RootOf{},
		trust.Identity{Issuer: tokenIssuer, SubjectPattern: "example"}, isError[*trust.IdentityError]),
)
