package config

import (
	"slices"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Policy says which signatures the artifacts of some repositories need. The first policy that
// matches a repository decides.
type Policy struct {
	Match    []string        `yaml:"match"` // globs of REGISTRY/REPOSITORY in lower case
	Cosign   *CosignPolicy   `yaml:"cosign"`
	Notation *NotationPolicy `yaml:"notation"`
	Accept   string          `yaml:"accept"` // "unsigned" or "nothing", without Cosign and Notation
	Signed   string          `yaml:"signed"` // "artifact" or "images"; "" means artifact
}

// CosignPolicy describes the signatures of cosign that a policy accepts: by one of the keys or
// by one of the identities.
type CosignPolicy struct {
	Keys           []string   `yaml:"keys"` // paths of PEM files
	Identities     []Identity `yaml:"identities"`
	TrustedRoot    string     `yaml:"trustedRoot"` // path of the trusted_root.json of sigstore
	SameRepository bool       `yaml:"sameRepository"`
}

// Identity is the identity of a signer, each half as it is or as a regular expression.
type Identity struct {
	Issuer         string `yaml:"issuer"`
	IssuerPattern  string `yaml:"issuerPattern"`
	Subject        string `yaml:"subject"`
	SubjectPattern string `yaml:"subjectPattern"`
}

// NotationPolicy describes the signatures of notation that a policy accepts.
type NotationPolicy struct {
	TrustPolicy string `yaml:"trustPolicy"` // path of a trustpolicy.json
	TrustStore  string `yaml:"trustStore"`  // path of the folder that contains x509
}

// Check reports the faults of the policy while it is decoded.
func (p *Policy) Check(o strictyaml.Object) {
	o.Require("match")
	o.NotEmpty("match")
	for i, glob := range p.Match {
		if reason, suggestion := policyGlobFault(glob); reason != "" {
			o.Suggest(strictyaml.Element("match", i), reason, suggestion)
		}
	}
	o.OneOf("a policy", "cosign", "notation", "accept")
	o.Exclusive("accept", "cosign", "notation", "signed")
	o.Choice("accept", p.Accept, "unsigned", "nothing")
	o.Choice("signed", p.Signed, "artifact", "images")
}

// Check reports the faults of the policy while it is decoded.
func (c *CosignPolicy) Check(o strictyaml.Object) {
	o.OneOf("cosign", "keys", "identities")
	o.NotEmpty("keys")
	o.NotEmpty("identities")
	o.Together("identities", "trustedRoot")
	for i, path := range c.Keys {
		checkVariables(o, strictyaml.Element("keys", i), path)
	}
	checkVariables(o, "trustedRoot", c.TrustedRoot)
}

// Check reports the faults of the identity while it is decoded.
func (i *Identity) Check(o strictyaml.Object) {
	o.Exclusive("issuer", "issuerPattern")
	o.Exclusive("subject", "subjectPattern")
	o.OneOf("an identity", "issuer", "issuerPattern")
	o.OneOf("an identity", "subject", "subjectPattern")
}

// Check reports the faults of the policy while it is decoded.
func (n *NotationPolicy) Check(o strictyaml.Object) {
	o.Require("trustPolicy")
	o.Require("trustStore")
	checkVariables(o, "trustPolicy", n.TrustPolicy)
	checkVariables(o, "trustStore", n.TrustStore)
}

// ResolvePolicies returns the policies with the paths of their files expanded. Its error is a
// [*LoadError].
func (s *Spec) ResolvePolicies() ([]Policy, error) {
	if s == nil {
		return nil, nil
	}
	var all []Policy
	var faults []Fault
	for i, p := range s.Policies {
		resolved, more := s.resolvePolicy(i, p)
		all, faults = append(all, resolved), append(faults, more...)
	}
	return all, loadError(faults)
}

// resolvePolicy returns a copy of a policy, with the paths of its files expanded.
func (s *Spec) resolvePolicy(i int, p Policy) (Policy, []Fault) {
	var faults []Fault
	expand := func(key string, path *string) {
		if *path == "" {
			return
		}
		expanded, err := s.path(*path, time.Now())
		if err != nil {
			faults = append(faults, s.fault(strictyaml.Element("policies", i)+"."+key, err))
		}
		*path = expanded
	}
	if p.Cosign != nil {
		c := *p.Cosign
		c.Keys = slices.Clone(c.Keys)
		for k := range c.Keys {
			expand(strictyaml.Element("cosign.keys", k), &c.Keys[k])
		}
		expand("cosign.trustedRoot", &c.TrustedRoot)
		p.Cosign = &c
	}
	if p.Notation != nil {
		n := *p.Notation
		expand("notation.trustPolicy", &n.TrustPolicy)
		expand("notation.trustStore", &n.TrustStore)
		p.Notation = &n
	}
	return p, faults
}

// PolicyFault returns the fault of a policy that turned out invalid when it was used: in the
// value of a key such as "cosign.keys[0]". It is a [*LoadError].
func (s *Spec) PolicyFault(index int, key string, err error) error {
	return loadError([]Fault{s.policyFault(index, key, err)})
}

func (s *Spec) policyFault(index int, key string, err error) Fault {
	at := strictyaml.Element("policies", index)
	if _, written := s.positions[at+"."+key]; written {
		at += "." + key
	}
	return s.fault(at, err)
}

// policyFaults returns the faults of the policies and of the files that they name. load reads
// the files of one policy, and says which of its keys has a fault.
func (s *Spec) policyFaults(load func(p Policy) (key string, err error)) []Fault {
	var faults []Fault
	for i, p := range s.Policies {
		resolved, more := s.resolvePolicy(i, p)
		faults = append(faults, more...)
		if len(more) > 0 {
			continue
		}
		if key, err := load(resolved); err != nil {
			faults = append(faults, s.policyFault(i, key, err))
		}
	}
	return faults
}

// files lists the files of a policy whose paths are expanded.
func (p Policy) files() []string {
	var all []string
	if p.Cosign != nil {
		all = append(p.Cosign.Keys, p.Cosign.TrustedRoot)
	}
	if p.Notation != nil {
		all = append(all, p.Notation.TrustPolicy)
	}
	return slices.DeleteFunc(all, func(path string) bool { return path == "" })
}
