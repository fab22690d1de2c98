package trust

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/glob"
)

// Policy is one of the policies of a spec. The first that matches a repository decides. It
// has Cosign, Notation or both, where one good signature is enough, or Accept.
type Policy struct {
	Match    []string // globs of REGISTRY/REPOSITORY in lower case, in which ** matches any number of components
	Cosign   *Cosign
	Notation *Notation
	Accept   Accept
	Signed   engine.Signed // "" means engine.SignedArtifact
}

// Accept is the decision of a policy that looks at no signature.
type Accept string

const (
	AcceptUnsigned Accept = "unsigned"
	AcceptNothing  Accept = "nothing"
)

// Cosign describes the signatures of cosign that a policy accepts: by one of the keys or by
// one of the identities.
type Cosign struct {
	Keys           []string // PEM files, each with one or more public keys
	Identities     []Identity
	TrustedRoot    string // sigstore's trusted_root.json; needed for identities
	SameRepository bool   // the signature must name the repository of the artifact
}

// Identity is the identity in a certificate of sigstore. It has an issuer or a pattern for
// it, and a subject or a pattern. Patterns are regular expressions (RE2) for the whole text.
type Identity struct{ Issuer, IssuerPattern, Subject, SubjectPattern string }

// Notation describes the signatures of notation that a policy accepts.
type Notation struct {
	TrustPolicy string // a trustpolicy.json
	TrustStore  string // the folder that contains x509/
}

// PolicyError says that a policy is invalid, or that one of its files is.
type PolicyError struct {
	Index int    // of the policy
	Key   string // in the policy, such as "match[0]" or "cosign.keys[1]"
	Err   error
}

func (e *PolicyError) Error() string {
	return fmt.Sprintf("policies[%d].%s: %v", e.Index, e.Key, e.Err)
}

func (e *PolicyError) Unwrap() error { return e.Err }

// keyError is a PolicyError that does not know the index yet.
type keyError struct {
	key string
	err error
}

// policy is a Policy with what its files contain.
type policy struct {
	globs    []string
	accept   Accept
	signed   engine.Signed
	cosign   *cosignPolicy
	notation *notationPolicy
}

func (p Policy) load() (*policy, *keyError) {
	if err := p.check(); err != nil {
		return nil, err
	}
	loaded := &policy{accept: p.Accept, signed: p.Signed}
	if loaded.signed == "" {
		loaded.signed = engine.SignedArtifact
	}
	loaded.globs = plainGlobs(p.Match)
	var err *keyError
	if p.Cosign != nil {
		if loaded.cosign, err = p.Cosign.load(); err != nil {
			return nil, err
		}
	}
	if p.Notation != nil {
		loaded.notation, err = p.Notation.load()
	}
	return loaded, err
}

// check checks what a policy says without its files.
func (p Policy) check() *keyError {
	if len(p.Match) == 0 {
		return &keyError{"match", errors.New("no glob")}
	}
	for i, glob := range p.Match {
		if err := checkGlob(glob); err != nil {
			return &keyError{fmt.Sprintf("match[%d]", i), err}
		}
	}
	if !slices.Contains([]Accept{"", AcceptUnsigned, AcceptNothing}, p.Accept) {
		return &keyError{"accept", fmt.Errorf("%q is not unsigned or nothing", p.Accept)}
	}
	if !slices.Contains([]engine.Signed{"", engine.SignedArtifact, engine.SignedImages}, p.Signed) {
		return &keyError{"signed", fmt.Errorf("%q is not artifact or images", p.Signed)}
	}
	if signatures := p.Cosign != nil || p.Notation != nil; signatures == (p.Accept != "") {
		return &keyError{"accept", errors.New("a policy has either cosign and notation, or accept")}
	}
	return nil
}

func checkGlob(glob string) error {
	switch {
	case glob == "" || !doublestar.ValidatePattern(glob):
		return fmt.Errorf("invalid glob %q", glob)
	case glob != strings.ToLower(glob):
		return fmt.Errorf("%q has capitals: it would match nothing", glob)
	}
	return nil
}

func (p *policy) matches(repository string) bool { return anyMatches(p.globs, repository) }

// anyMatches reports whether one of the plain globs matches a repository in canonical spelling.
func anyMatches(globs []string, repository string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool { return doublestar.MatchUnvalidated(glob, repository) })
}

// plainGlobs returns globs without braces, in canonical spelling.
func plainGlobs(match []string) (all []string) {
	for _, pattern := range match {
		for _, one := range glob.Alternatives(pattern) {
			all = append(all, canonical(one))
		}
	}
	return all
}

// Matcher returns a function that reports whether one of the globs of policies, which must be
// valid, matches a repository.
func Matcher(match []string) func(repository string) bool {
	globs := plainGlobs(match)
	return func(repository string) bool { return anyMatches(globs, canonical(repository)) }
}

// Signed says which manifests of an artifact must be signed.
func (p *policy) Signed() engine.Signed { return p.signed }
