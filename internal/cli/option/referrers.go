package option

import (
	"github.com/oras-mirror/oras-mirror/config"
)

// ReferrerFlags select whether to copy referrers.
type ReferrerFlags struct {
	IncludeReferrers *bool `group:"Run" xor:"referrers" help:"Copy signatures, SBOMs and attestations, overriding the spec."`
	ExcludeReferrers *bool `group:"Run" xor:"referrers" help:"Do not copy signatures, SBOMs and attestations."`
}

// Apply overrides the referrers of selections.
func (f *ReferrerFlags) Apply(all []config.Selection) {
	included := f.Included()
	if included == nil {
		return
	}
	for i := range all {
		all[i].Referrers, all[i].ReferrerTypes = *included, nil
	}
}

// Included reports whether to copy referrers; nil leaves that to the spec. A flag with
// =false means the same as the other one.
func (f *ReferrerFlags) Included() *bool {
	if f.ExcludeReferrers == nil {
		return f.IncludeReferrers
	}
	included := !*f.ExcludeReferrers
	return &included
}

// Excluded reports whether the flags exclude referrers.
func (f *ReferrerFlags) Excluded() bool {
	included := f.Included()
	return included != nil && !*included
}
