package trust

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// Demands returns one line for each policy: its globs, and what it demands.
func (p *Policies) Demands() []string {
	var lines []string
	for _, one := range p.all {
		lines = append(lines, text.Printable(strings.Join(one.globs, ", ")+": "+one.demand()))
	}
	return lines
}

func (p *policy) demand() string {
	switch p.accept {
	case AcceptUnsigned:
		return "accepts unsigned artifacts"
	case AcceptNothing:
		return "accepts nothing"
	}
	var signers []string
	if p.cosign != nil {
		signers = p.cosign.demands()
	}
	if p.notation != nil {
		signers = append(signers, "notation by "+p.notation.path)
	}
	demand := "signed by " + strings.Join(signers, " or ")
	if p.signed == engine.SignedImages {
		demand += ", and each selected image of an index too"
	}
	return demand
}

// demands returns the signers that are accepted, keys as in the lines for signers.
func (c *cosignPolicy) demands() []string {
	var signers []string
	for _, k := range c.keys {
		signers = append(signers, k.signer)
	}
	if c.identities != nil {
		for _, identity := range c.identities.list {
			signers = append(signers, "cosign "+oneOf(identity.Issuer, identity.IssuerPattern)+" "+oneOf(identity.Subject, identity.SubjectPattern))
		}
	}
	if c.sameRepository {
		for i := range signers {
			signers[i] += " for the same repository"
		}
	}
	return signers
}

// oneOf returns a text, or a pattern between slashes.
func oneOf(exact, pattern string) string {
	if exact != "" {
		return exact
	}
	return "/" + pattern + "/"
}
