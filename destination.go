package main

import "github.com/oras-mirror/oras-mirror/config"

// destinationFlags say where a restore puts what it pushes.
type destinationFlags struct {
	Targets []string `name:"target" placeholder:"NAME" help:"Restore to this target of the spec alone. Repeatable."`
	Map     []string `sep:"none" placeholder:"SOURCE=TARGET" help:"Put what SOURCE names, a prefix, under TARGET; asked before the mappings of the spec. Repeatable."`
}

// mapper puts the flag's mappings before those of the spec.
func (f *destinationFlags) mapper(spec *config.Spec) (*config.Mapper, error) {
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
