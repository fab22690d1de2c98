package trust

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

// attack is a row of the table: signatures that are offered for an artifact.
type attack struct {
	name    string
	policy  func(*scene) Policy
	offered func(*scene) []artifact
	signers func(*scene) []string // that are accepted; nil if none is
	refused error                 // the kind of the reason
}

// scene has the signers of the table.
type scene struct {
	*sigstore
	t              *testing.T
	key, otherKey  signer
	good, evil     signer // with certificates
	image, another engine.Subject
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := testsign.NewSigstore(t)
	return &scene{
		sigstore: s, t: t, key: testsign.NewKey(t), otherKey: testsign.NewKey(t),
		good: s.Identity(testIssuer, testSubject), evil: s.Identity(testIssuer, testSubject+".evil.example"),
		image: subjectOf("an image"), another: subjectOf("another image"),
	}
}

func (s *scene) keyPolicy() Policy {
	return Policy{Cosign: &Cosign{Keys: []string{publicKey(s.t, s.key)}}}
}

// identityPolicy accepts testSubject, with the trusted root that o describes.
func (s *scene) identityPolicy(o rootOf) Policy {
	return Policy{Cosign: &Cosign{Identities: []Identity{{Issuer: testIssuer, Subject: testSubject}}, TrustedRoot: trustedRoot(s.t, s.sigstore, o)}}
}

func (s *scene) patternPolicy(pattern string) Policy {
	return Policy{Cosign: &Cosign{
		Identities:  []Identity{{IssuerPattern: `https://token\.example\.com`, SubjectPattern: pattern}},
		TrustedRoot: trustedRoot(s.t, s.sigstore, rootOf{}),
	}}
}

func (s *scene) bundleOf(by signer, subject engine.Subject, p proofs) artifact {
	return bundleArtifact(s.t, s.Bundle(s.t, by, testsign.Statement(subject.Descriptor.Digest), p))
}

func (s *scene) tagOf(by signer, subject engine.Subject, p proofs) artifact {
	return tagArtifact(s.t, s.layerOf(by, subject, testRepository, p))
}

func (s *scene) layerOf(by signer, subject engine.Subject, repository string, p proofs) testLayer {
	payload := testsign.Payload(subject.Descriptor.Digest, repository)
	return testLayer{payload, s.Annotations(s.t, by, payload, p)}
}

func (s *scene) keySigner() []string { return []string{s.key.Line(s.t)} }

func (s *scene) goodSigner() []string { return []string{"cosign " + testIssuer + " " + testSubject} }

// both runs a row for both formats of cosign.
func both(name string, policy func(*scene) Policy, offered func(*scene, format) []artifact, signers func(*scene) []string, refused error) []attack {
	row := func(kind string, f format) attack {
		return attack{name + "/" + kind, policy, func(s *scene) []artifact { return offered(s, f) }, signers, refused}
	}
	return []attack{row("bundle", (*scene).bundleOf), row("tag", (*scene).tagOf)}
}

type format func(*scene, signer, engine.Subject, proofs) artifact

func one(by func(*scene) signer, subject func(*scene) engine.Subject, p proofs) func(*scene, format) []artifact {
	return func(s *scene, f format) []artifact { return []artifact{f(s, by(s), subject(s), p)} }
}

var (
	byKey      = func(s *scene) signer { return s.key }
	byOtherKey = func(s *scene) signer { return s.otherKey }
	byGood     = func(s *scene) signer { return s.good }
	byEvil     = func(s *scene) signer { return s.evil }
	byStranger = func(s *scene) signer { return testsign.NewSigstore(s.t).Identity(testIssuer, testSubject) }
	byURL      = func(s *scene) signer {
		return s.Identity(testIssuer, "https://github.com/acme-evil/app/.github/workflows/x.yml@v1")
	}
	theImage = func(s *scene) engine.Subject { return s.image }
	another  = func(s *scene) engine.Subject { return s.another }

	keys     = (*scene).keyPolicy
	fullRoot = func(s *scene) Policy { return s.identityPolicy(rootOf{}) }
)

func rooted(o rootOf) func(*scene) Policy {
	return func(s *scene) Policy { return s.identityPolicy(o) }
}

func sameRepository(s *scene) Policy {
	p := s.keyPolicy()
	p.Cosign.SameRepository = true
	return p
}

// named returns a signature tag whose payload names a repository.
func named(reference string) func(*scene) []artifact {
	return func(s *scene) []artifact {
		return []artifact{tagArtifact(s.t, s.layerOf(s.key, s.image, reference, proofs{}))}
	}
}

func pattern(p string) func(*scene) Policy {
	return func(s *scene) Policy { return s.patternPolicy(p) }
}

// attacks returns the table. Every certificate in it has expired when it is verified.
func attacks() []attack {
	late := proofs{Log: true, LogTime: time.Date(2000, 1, 1, 0, 30, 0, 0, time.UTC)}
	return slices.Concat(
		both("signed by the key", keys, one(byKey, theImage, proofs{}), (*scene).keySigner, nil),
		both("signed by another key", keys, one(byOtherKey, theImage, proofs{}), nil, ErrOtherKey),
		both("moved from another image", keys, one(byKey, another, proofs{}), nil, &SubjectError{}),
		both("a certificate for a policy with keys", keys, one(byGood, theImage, proofs{Log: true}), nil, ErrOtherKey),
		both("two signatures, one good", keys, func(s *scene, f format) []artifact {
			return []artifact{f(s, s.otherKey, s.image, proofs{}), f(s, s.key, s.image, proofs{})}
		}, (*scene).keySigner, nil),
		both("an expired certificate with a log entry", fullRoot, one(byGood, theImage, proofs{Log: true}), (*scene).goodSigner, nil),
		both("an expired certificate with a timestamp", fullRoot, one(byGood, theImage, proofs{Timestamp: true}), (*scene).goodSigner, nil),
		both("an expired certificate with both", fullRoot, one(byGood, theImage, proofs{Log: true, Timestamp: true}), (*scene).goodSigner, nil),
		both("an expired certificate without proof", fullRoot, one(byGood, theImage, proofs{}), nil, &TimeError{}),
		both("a log entry after the certificate expired", fullRoot, one(byGood, theImage, late), nil, &TimeError{}),
		both("a trusted root without the log", rooted(rootOf{WithoutLog: true}), one(byGood, theImage, proofs{Log: true}), nil, &TimeError{}),
		both("a trusted root without the log, and a timestamp", rooted(rootOf{WithoutLog: true}), one(byGood, theImage, proofs{Log: true, Timestamp: true}), nil, &TimeError{}),
		both("a trusted root without the timestamp authority", rooted(rootOf{WithoutTimestamps: true}), one(byGood, theImage, proofs{Timestamp: true}), nil, &TimeError{}),
		both("a certificate in no log", rooted(rootOf{WithCTLog: true}), one(byGood, theImage, proofs{Timestamp: true}), nil, &CertificateError{}),
		both("a certificate of another authority", fullRoot, one(byStranger, theImage, proofs{Log: true}), nil, &CertificateError{}),
		both("a certificate in the log of signatures", rooted(rootOf{WithCTLog: true}), one(byGood, theImage, proofs{Log: true}), (*scene).goodSigner, nil),
		both("another identity", fullRoot, one(byEvil, theImage, proofs{Log: true}), nil, &IdentityError{}),
		both("moved by an identity", fullRoot, one(byGood, another, proofs{Log: true}), nil, &SubjectError{}),
		both("a key for a policy with identities", fullRoot, one(byKey, theImage, proofs{}), nil, ErrNoCertificate),
		both("a pattern that matches", pattern(`.+@acme\.example`), one(byGood, theImage, proofs{Log: true}), (*scene).goodSigner, nil),
		both("a pattern that matches a prefix", pattern(`release@acme\.example`), one(byEvil, theImage, proofs{Log: true}), nil, &IdentityError{}),
		both("a pattern that matches the start of a URL", pattern(`https://github\.com/acme`), one(byURL, theImage, proofs{Log: true}), nil, &IdentityError{}),
		both("a pattern for another owner", pattern(`https://github\.com/acme/.+`), one(byURL, theImage, proofs{Log: true}), nil, &IdentityError{}),
		both("a pattern that matches a part", pattern(`acme`), one(byGood, theImage, proofs{Log: true}), nil, &IdentityError{}),
		both("an alternative in a pattern", pattern(`absent|acme\.example`), one(byGood, theImage, proofs{Log: true}), nil, &IdentityError{}),
		[]attack{
			{"unsigned", keys, func(*scene) []artifact { return nil }, nil, &engine.UnsignedError{}},
			{"an attestation alone", keys, func(s *scene) []artifact {
				return []artifact{bundleArtifact(s.t, s.Bundle(s.t, s.key, testsign.StatementWith(s.image.Descriptor.Digest, "https://slsa.dev/provenance/v1"), proofs{}))}
			}, nil, &AttestationError{}},
			{"an attestation and a signature", keys, func(s *scene) []artifact {
				return []artifact{
					bundleArtifact(s.t, s.Bundle(s.t, s.key, testsign.StatementWith(s.image.Descriptor.Digest, "https://slsa.dev/provenance/v1"), proofs{})),
					s.bundleOf(s.key, s.image, proofs{}),
				}
			}, (*scene).keySigner, nil},
			{"accept: nothing", func(*scene) Policy { return Policy{Accept: AcceptNothing} }, func(s *scene) []artifact {
				return []artifact{s.bundleOf(s.key, s.image, proofs{})}
			}, nil, &engine.DeniedError{}},
			{"another repository", keys, named("origin.example/acme/app"), (*scene).keySigner, nil},
			{"another repository, sameRepository", sameRepository, named("origin.example/acme/app"), nil, &RepositoryError{}},
			{"the same repository", sameRepository, named(testRepository), (*scene).keySigner, nil},
			{"the same repository with a tag", sameRepository, named(testRepository + ":v1"), (*scene).keySigner, nil},
			{"a repository that begins alike", sameRepository, named(testRepository + "-evil"), nil, &RepositoryError{}},
			{"a bundle names no repository", sameRepository, func(s *scene) []artifact {
				return []artifact{s.bundleOf(s.key, s.image, proofs{})}
			}, nil, &RepositoryError{}},
		},
	)
}

// TestAttacks runs the table a day after the signatures were made, on the clock of synctest.
func TestAttacks(t *testing.T) {
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				policy, offered := load(t, a.policy(s)), a.offered(s)
				time.Sleep(24 * time.Hour)
				signedBy, err := judge(t, policy, s.image, offered...)
				var want []string
				if a.signers != nil {
					want = a.signers(s)
				}
				if !slices.Equal(signedBy, want) || !sameKind(err, a.refused) {
					t.Errorf("signed by %q, %v; want %q, %T", signedBy, err, want, a.refused)
				}
			})
		})
	}
}

// sameKind reports whether there is an error of the type of want in err, or want itself.
func sameKind(err, want error) bool {
	if want == nil || err == nil {
		return want == err
	}
	if kind := reflect.TypeOf(want); kind != reflect.TypeOf(ErrOtherKey) {
		return errors.As(err, reflect.New(kind).Interface())
	}
	return errors.Is(err, want)
}
