package config

import (
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
