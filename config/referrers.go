package config

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// ReferrerChoice selects the referrers of an artifact: signatures, SBOMs, attestations. In a
// spec it is true, false, or a mapping.
type ReferrerChoice struct {
	Referrers     *bool    `yaml:",toggle"`       // nil means true
	ReferrerTypes []string `yaml:"artifactTypes"` // globs, one of them must match; nil means all types
}

// Check reports the faults of the choice while it is decoded.
func (r *ReferrerChoice) Check(o strictyaml.Object) {
	o.Require("artifactTypes")
	o.NotEmpty("artifactTypes")
	for i, glob := range r.ReferrerTypes {
		if _, err := path.Match(flat(glob), ""); err != nil {
			o.Fault(strictyaml.Element("artifactTypes", i), fmt.Sprintf("invalid glob %q", glob))
		}
	}
}

// or returns r, or other if r is the zero value.
func (r ReferrerChoice) or(other ReferrerChoice) ReferrerChoice {
	if r.Referrers == nil && r.ReferrerTypes == nil {
		return other
	}
	return r
}

// apply sets the choice in a selection.
func (r ReferrerChoice) apply(s *Selection) {
	s.Referrers = r.Referrers == nil || *r.Referrers
	s.ReferrerTypes = r.ReferrerTypes
}

// WantsReferrer reports whether s selects referrers of an artifact type.
func (s Selection) WantsReferrer(artifactType string) bool {
	return s.Referrers && (len(s.ReferrerTypes) == 0 || slices.ContainsFunc(s.ReferrerTypes, func(glob string) bool {
		matches, err := path.Match(flat(glob), flat(artifactType))
		return err == nil && matches
	}))
}

// flat replaces the slashes of a media type or a glob, so that a * of package path matches them.
func flat(s string) string { return strings.ReplaceAll(s, "/", "\x00") }
