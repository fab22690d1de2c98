package option

import (
	"cmp"

	"github.com/oras-mirror/oras-mirror/config"
)

// DestinationFlags select the targets of a restore, and the repositories in them.
type DestinationFlags struct {
	PlatformModeFlag
	Targets []string `name:"target" placeholder:"TARGET" help:"Copy only to this target: the name of one of the spec, or REGISTRY[/NAMESPACE]. Repeatable."`
	Map     []string `sep:"none" placeholder:"SOURCE=TARGET" help:"Put everything below the prefix SOURCE under TARGET; takes precedence over the mappings of the spec. Repeatable."`
}

// PlatformModeFlag selects how to push an index that lacks some of its platforms.
type PlatformModeFlag struct {
	PlatformMode string `enum:",keep,rewrite" default:"" placeholder:"keep|rewrite" help:"Push an index that lacks some of its platforms as it is (keep), or rewritten to list only those present (rewrite), overriding the targets of the spec."`
}

// Apply overrides the setting of targets.
func (f *PlatformModeFlag) Apply(all []config.Target) {
	for i := range all {
		all[i].PlatformMode = cmp.Or(f.PlatformMode, all[i].PlatformMode)
	}
}

// Mapper returns the mapper of the spec, with the mappings of the flag before its own.
func (f *DestinationFlags) Mapper(spec *config.Spec) (*config.Mapper, error) {
	m, err := spec.Mapper()
	if err != nil || len(f.Map) == 0 {
		return m, err
	}
	first := make([]config.Mapping, len(f.Map))
	for i, s := range f.Map {
		if first[i], err = config.ParseMapping(s); err != nil {
			return nil, err
		}
	}
	return m.Prepend(first...)
}
