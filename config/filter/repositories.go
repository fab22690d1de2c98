package filter

import (
	"fmt"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Repositories selects repositories of a registry by path. The zero value selects all.
type Repositories struct {
	Include []string `yaml:"include"` // globs, one of them must match; nil means all
	Exclude []string `yaml:"exclude"` // globs, none may match
}

// Check reports the faults of the filter while it is decoded.
func (f *Repositories) Check(o strictyaml.Object) {
	checkGlobs(o, "include", f.Include)
	checkGlobs(o, "exclude", f.Exclude)
	o.NotEmpty("include")
	o.NotEmpty("exclude")
}

// Match reports whether the repository with that path is selected. In a glob ** matches any
// number of path components, and * matches within one.
func (f Repositories) Match(path string) bool {
	return (len(f.Include) == 0 || anyGlob(f.Include, path)) && !anyGlob(f.Exclude, path)
}

func checkGlobs(o strictyaml.Object, key string, globs []string) {
	for i, glob := range globs {
		if !doublestar.ValidatePattern(glob) {
			o.Fault(strictyaml.Element(key, i), fmt.Sprintf("invalid glob %q", glob))
		}
	}
}

func anyGlob(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool { return doublestar.MatchUnvalidated(glob, name) })
}
