package trust

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/testsign"
)

// TestFirstMatchDecides: later policies do not count, and another spelling of a registry does
// not evade one.
func TestFirstMatchDecides(t *testing.T) {
	all, err := Load([]Policy{
		{Match: []string{"ghcr.io/acme/**", "quay.io/acme/*"}, Accept: AcceptNothing, Signed: engine.SignedImages},
		{Match: []string{"ghcr.io/**"}, Accept: AcceptUnsigned},
		{Match: []string{"docker.io/library/*", "**/signed/**"}, Accept: AcceptNothing},
		{Match: []string{"index.docker.io/acme/*", "reg.example:443/*"}, Accept: AcceptNothing},
		{Match: []string{"{registry-1.docker.io/set,set.example:443}/**", "{other.example,docker.io/{one,two}}/*"}, Accept: AcceptNothing},
		{Match: []string{`\[fd00::5\]:443/*`, `\[::1\]:5000/**`}, Accept: AcceptNothing},
	})
	if err != nil {
		t.Fatal(err)
	}
	for repository, decided := range map[string]bool{
		"ghcr.io/acme/app":                    true,
		"ghcr.io/acme/team/app":               true,
		"ghcr.io/acme-evil/app":               false,
		"ghcr.io/acmeevil":                    false,
		"GHCR.io/acme/app":                    true,
		"ghcr.io:443/acme/app":                true,
		"ghcr.io:8443/acme/app":               false,
		"quay.io/acme/app":                    true,
		"quay.io/acme/team/app":               false,
		"docker.io/library/alpine":            true,
		"registry-1.docker.io/library/alpine": true,
		"index.docker.io:443/library/alpine":  true,
		"docker.io/acme/app":                  true,
		"reg.example/app":                     true,
		"reg.example:443/app":                 true,
		"reg.example:5000/app":                false,
		"reg.example:5000/signed/app":         true,
		"localhost:5000/team/signed/by/us":    true,
		"docker.io/set/app":                   true,
		"set.example/team/app":                true,
		"other.example/app":                   true,
		"index.docker.io/two/app":             true,
		"docker.io/three/app":                 false,
		"[fd00::5]/app":                       true,
		"[::1]:5000/team/app":                 true,
		"[::1]/team/app":                      false,
		"ghcr.io/team/signed/app":             false, // an earlier policy accepts it
	} {
		policy := all.Policy(repository)
		if (policy != nil) != decided {
			t.Errorf("%s: %v", repository, policy)
		}
	}
	if signed := all.Policy("ghcr.io/acme/app").Signed(); signed != engine.SignedImages {
		t.Errorf("signed: %s", signed)
	}
	if signed := all.Policy("docker.io/acme/app").Signed(); signed != engine.SignedArtifact {
		t.Errorf("signed: %s", signed)
	}
}

// TestDemands: a line for each policy says who must sign.
func TestDemands(t *testing.T) {
	by, ca := testsign.NewKey(t), newIssuer(t, "ca")
	trusted := trustedRoot(t, testsign.NewSigstore(t), rootOf{})
	n := &Notation{TrustPolicy: trustPolicy(t, strictOffline, `["ca:acme"]`, `["*"]`, `["*"]`), TrustStore: trustStoreOf(t, map[string]issuer{"ca/acme": ca})}
	all, err := Load([]Policy{
		{Match: []string{"a.example/**", "b.example/*"}, Cosign: &Cosign{Keys: []string{publicKey(t, by)}}},
		{Match: []string{"c.example/**"}, Signed: engine.SignedImages, Notation: n, Cosign: &Cosign{
			Identities: []Identity{{Issuer: testIssuer, SubjectPattern: ".+"}}, TrustedRoot: trusted, SameRepository: true,
		}},
		{Match: []string{"d.example/**"}, Accept: AcceptUnsigned},
		{Match: []string{"**"}, Accept: AcceptNothing},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a.example/**, b.example/*: signed by " + by.Line(t),
		"c.example/**: signed by cosign " + testIssuer + " /.+/ for the same repository or notation by " + n.TrustPolicy + ", and each selected image of an index too",
		"d.example/**: accepts unsigned artifacts",
		"**: accepts nothing",
	}
	if got := all.Demands(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestNoPolicies: without policies nothing needs a signature.
func TestNoPolicies(t *testing.T) {
	all, err := Load(nil)
	if err != nil || all.Policy(testRepository) != nil {
		t.Error(all, err)
	}
}

// TestInvalidPolicies: each names its place.
func TestInvalidPolicies(t *testing.T) {
	s := testsign.NewSigstore(t)
	key, trusted := publicKey(t, testsign.NewKey(t)), trustedRoot(t, s, rootOf{})
	keys := &Cosign{Keys: []string{key}}
	identity := func(i Identity) Policy {
		return Policy{Cosign: &Cosign{Identities: []Identity{i}, TrustedRoot: trusted}}
	}
	full := Identity{Issuer: testIssuer, Subject: testSubject}
	file := func(text string) string { return writeFile(t, "file", []byte(text)) }
	for _, bad := range []struct {
		policy Policy
		want   string // what the error has
	}{
		{Policy{}, "policies[1].match: no glob"},
		{Policy{Match: []string{"a/**", "GHCR.io/**"}, Accept: AcceptNothing}, `policies[1].match[1]: "GHCR.io/**" has capitals`},
		{Policy{Match: []string{"ghcr.io/[a"}, Accept: AcceptNothing}, `policies[1].match[0]: invalid glob`},
		{Policy{Match: []string{""}, Accept: AcceptNothing}, `policies[1].match[0]: invalid glob`},
		{Policy{}, "match"},
		{Policy{Match: []string{"**"}}, "policies[1].accept: a policy has either"},
		{Policy{Accept: AcceptNothing, Cosign: keys}, "policies[1].accept: a policy has either"},
		{Policy{Accept: "all"}, `policies[1].accept: "all" is not`},
		{Policy{Cosign: keys, Signed: "all"}, `policies[1].signed: "all" is not`},
		{Policy{Cosign: &Cosign{}}, "policies[1].cosign: neither keys nor identities"},
		{Policy{Cosign: &Cosign{Keys: []string{key, key + ".absent"}}}, "policies[1].cosign.keys[1]: open "},
		{Policy{Cosign: &Cosign{Keys: []string{key}, TrustedRoot: trusted}}, "policies[1].cosign.trustedRoot: there are no identities"},
		{Policy{Cosign: &Cosign{Identities: []Identity{full}}}, "policies[1].cosign.trustedRoot: identities need one"},
		{Policy{Cosign: &Cosign{Identities: []Identity{full}, TrustedRoot: file("{}")}}, "policies[1].cosign.trustedRoot: "},
		{Policy{Cosign: &Cosign{Identities: []Identity{full}, TrustedRoot: file("not JSON")}}, "policies[1].cosign.trustedRoot: "},
		{Policy{Cosign: &Cosign{Identities: []Identity{full}, TrustedRoot: trustedRoot(t, s, rootOf{WithoutCA: true})}}, "no certificate authorities"},
		{identity(Identity{}), "policies[1].cosign.identities[0]: needs either issuer or issuerPattern"},
		{identity(Identity{Issuer: "x"}), "needs either subject or subjectPattern"},
		{identity(Identity{Issuer: "x", IssuerPattern: "x", Subject: "x"}), "needs either issuer"},
		{identity(Identity{Issuer: "x", Subject: "x", SubjectPattern: "x"}), "needs either subject"},
		{identity(Identity{Issuer: "x", SubjectPattern: "a)|(?:b"}), "subjectPattern: "},
		{identity(Identity{IssuerPattern: "(", Subject: "x"}), "issuerPattern: "},
		{Policy{Notation: &Notation{TrustStore: "x"}}, "policies[1].notation.trustPolicy: missing"},
		{Policy{Notation: &Notation{TrustPolicy: "x"}}, "policies[1].notation.trustStore: missing"},
		{Policy{Notation: &Notation{TrustPolicy: file("{}"), TrustStore: "x"}}, "policies[1].notation.trustPolicy: "},
		{Policy{Notation: &Notation{TrustPolicy: file("["), TrustStore: "x"}}, "policies[1].notation.trustPolicy: "},
	} {
		if bad.policy.Match == nil && !strings.Contains(bad.want, "match") {
			bad.policy.Match = []string{"**"}
		}
		_, err := Load([]Policy{{Match: []string{"**"}, Accept: AcceptUnsigned}, bad.policy})
		if !sameKind(err, &PolicyError{}) || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%+v: %v, want %q", bad.policy, err, bad.want)
		}
	}
}

// TestHugeFile: a file of a policy is not read whole if it cannot be one.
func TestHugeFile(t *testing.T) {
	path := writeFile(t, "key.pub", bytes.Repeat([]byte{'\n'}, maxFile+1))
	_, err := Load([]Policy{{Match: []string{"**"}, Cosign: &Cosign{Keys: []string{path}}}})
	if !sameKind(err, &bounds.Error{}) {
		t.Error(err)
	}
}

// TestVerifyingEndsWithTheRun returns the error of the context, and no reason.
func TestVerifyingEndsWithTheRun(t *testing.T) {
	by := testsign.NewKey(t)
	policy := load(t, Policy{Cosign: &Cosign{Keys: []string{publicKey(t, by)}}})
	subject := subjectOf("an image")
	a := bundleArtifact(t, (*sigstore)(nil).Bundle(t, by, testsign.Statement(subject.Descriptor.Digest), proofs{}))
	c, _ := policy.Candidate(a.desc, a.manifest)
	ctx, cancel := context.WithCancel(t.Context())
	signedBy, err := policy.Verify(ctx, subject, []engine.Candidate{c}, func(context.Context, ocispec.Descriptor) ([]byte, error) {
		cancel()
		return nil, errors.New("stopped")
	})
	if signedBy != nil || !errors.Is(err, context.Canceled) || sameKind(err, &engine.UntrustedError{}) {
		t.Error(signedBy, err)
	}
}
