package main

import (
	"cmp"

	"github.com/oras-mirror/oras-mirror/config"
)

// platformFlags say which images of an index are copied.
type platformFlags struct {
	Platform []string `placeholder:"OS/ARCH[/VARIANT]" help:"Copy only these platforms of an index, whatever the spec says; \"all\" for all. Comma-separated or repeatable."`
}

// apply puts the flag over what selections say.
func (f *platformFlags) apply(all []config.Selection) error {
	platforms, err := config.ParsePlatforms(f.Platform)
	if err != nil || len(f.Platform) == 0 {
		return err
	}
	for i := range all {
		all[i].Platforms = platforms
	}
	return nil
}

// apply puts the flags over what selections say.
func (f *referrerFlags) apply(all []config.Selection) {
	included := f.included()
	if included == nil {
		return
	}
	for i := range all {
		all[i].Referrers, all[i].ReferrerTypes = *included, nil
	}
}

// sourceHost is the registry that a selection is read from, if any.
func sourceHost(s config.Selection) string {
	if s.Layout != "" {
		return ""
	}
	return cmp.Or(s.Registry, s.Reference.Registry)
}

// claimedBy returns the mapper that shows whether two artifacts of a backup would
// land on one target; nil where the spec speaks of no target.
func claimedBy(spec *config.Spec) (*config.Mapper, error) {
	if spec == nil || len(spec.Mappings)+len(spec.Targets) == 0 {
		return nil, nil
	}
	return spec.Mapper()
}
