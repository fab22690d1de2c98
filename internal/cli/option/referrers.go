package option

import (
	"github.com/oras-mirror/oras-mirror/config"
)

// Apply puts the flags over what selections say.
func (f *ReferrerFlags) Apply(all []config.Selection) {
	included := f.Included()
	if included == nil {
		return
	}
	for i := range all {
		all[i].Referrers, all[i].ReferrerTypes = *included, nil
	}
}

// ReferrerFlags win over what a spec says of referrers.
type ReferrerFlags struct {
	IncludeReferrers *bool `group:"Run" xor:"referrers" help:"Copy signatures, SBOMs and attestations, overriding the spec."`
	ExcludeReferrers *bool `group:"Run" xor:"referrers" help:"Do not copy signatures, SBOMs and attestations."`
}

// Included tells whether referrers come along; nil leaves that to the spec. A flag
// with =false says what the other one says.
func (f *ReferrerFlags) Included() *bool {
	if f.ExcludeReferrers == nil {
		return f.IncludeReferrers
	}
	included := !*f.ExcludeReferrers
	return &included
}

// Excluded tells whether the flags leave referrers behind.
func (f *ReferrerFlags) Excluded() bool {
	included := f.Included()
	return included != nil && !*included
}
