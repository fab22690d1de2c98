package option

import (
	"github.com/oras-mirror/oras-mirror/config"
)

// PlatformFlags select the platforms of an index to copy.
type PlatformFlags struct {
	Platform []string `placeholder:"OS/ARCH[/VARIANT]" help:"Copy only these platforms of an index, overriding the spec; \"all\" copies all. Comma-separated or repeatable."`
}

// Apply overrides the platforms of selections.
func (f *PlatformFlags) Apply(all []config.Selection) error {
	platforms, err := config.ParsePlatforms(f.Platform)
	if err != nil || len(f.Platform) == 0 {
		return err
	}
	for i := range all {
		all[i].Platforms = platforms
	}
	return nil
}
