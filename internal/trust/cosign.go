package trust

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
)

// cosignPolicy is a Cosign with what its files contain.
type cosignPolicy struct {
	keys           []*key
	identities     *identities // nil if there are none
	sameRepository bool
}

func (c *Cosign) load() (*cosignPolicy, *keyError) {
	if len(c.Keys) == 0 && len(c.Identities) == 0 {
		return nil, &keyError{"cosign", errors.New("neither keys nor identities")}
	}
	loaded := &cosignPolicy{sameRepository: c.SameRepository}
	for i, path := range c.Keys {
		keys, err := loadKeys(path)
		if err != nil {
			return nil, &keyError{fmt.Sprintf("cosign.keys[%d]", i), err}
		}
		loaded.keys = append(loaded.keys, keys...)
	}
	if len(c.Identities) == 0 {
		if c.TrustedRoot != "" {
			return nil, &keyError{"cosign.trustedRoot", errors.New("there are no identities that need it")}
		}
		return loaded, nil
	}
	var err *keyError
	loaded.identities, err = loadIdentities(c.Identities, c.TrustedRoot)
	return loaded, err
}

// verify returns the keys and the identity that made a signature, if the policy has them.
func (c *cosignPolicy) verify(e *entity) ([]string, error) {
	var signers []string
	for _, k := range c.keys {
		if k.verify(e) {
			signers = append(signers, k.signer)
		}
	}
	if c.identities != nil && e.certificate != nil && e.proofErr == nil {
		signer, err := c.identities.verify(e)
		if err == nil {
			signers = append(signers, signer)
		} else if len(signers) == 0 {
			return nil, err
		}
	}
	switch {
	case len(signers) > 0:
		return signers, nil
	case c.identities != nil && e.proofErr != nil:
		return nil, &FormatError{Err: e.proofErr}
	case c.keys == nil:
		return nil, ErrNoCertificate
	}
	return nil, ErrOtherKey
}

// checkRepository checks the repositories that a signature names for subject.
func (c *cosignPolicy) checkRepository(subject engine.Subject, named ...string) error {
	if !c.sameRepository || slices.ContainsFunc(named, func(reference string) bool {
		return canonical(repositoryOf(reference)) == canonical(subject.Repository)
	}) {
		return nil
	}
	return &RepositoryError{Named: strings.Join(slices.DeleteFunc(named, func(s string) bool { return s == "" }), ", ")}
}

// repositoryOf removes tag and digest from a reference.
func repositoryOf(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name
}
