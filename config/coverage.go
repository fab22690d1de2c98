package config

import (
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// coverage holds the repositories that mappings match, to find a mapping that is never reached.
type coverage map[covered]int

// covered is the set of repositories that a mapping matches: those of a prefix or of a pattern.
type covered struct{ registry, prefix, pattern string }

// add adds a mapping by its number. If an earlier mapping matches everything that it matches,
// add returns the number of that one instead. Two patterns are compared by their text alone.
func (c coverage) add(m *Mapping, number int) (earlier int, ok bool) {
	if m.SourcePattern != "" {
		return c.put(covered{pattern: m.SourcePattern}, number)
	}
	registry, path := splitSource(m.Source)
	if m.Source == "" || len(path) > grammar.MaxRepositoryLength {
		return 0, false // which is reported as a fault of the source
	}
	registry = strings.ToLower(registry)
	for prefix := path; ; prefix = prefix[:max(strings.LastIndexByte(prefix, '/'), 0)] {
		for _, wider := range []covered{{registry: registry, prefix: prefix}, {prefix: prefix}} {
			if earlier, ok := c[wider]; ok {
				return earlier, true
			}
		}
		if prefix == "" {
			return c.put(covered{registry: registry, prefix: path}, number)
		}
	}
}

func (c coverage) put(key covered, number int) (earlier int, ok bool) {
	if earlier, ok := c[key]; ok {
		return earlier, true
	}
	c[key] = number
	return 0, false
}

// checkMappings reports the mappings that are never reached because of an earlier one.
func checkMappings(o strictyaml.Object, all []Mapping) {
	earlier := make(coverage)
	for i := range all {
		m := &all[i]
		first, ok := earlier.add(m, i)
		if !ok {
			continue
		}
		at := strictyaml.Element("mappings", first)
		by := fmt.Sprintf("%s on line %d", at, o.Position(at).Line)
		if source := all[first].source(); source != m.source() {
			by += ", whose source is " + source
		}
		o.Fault(strictyaml.Element("mappings", i), fmt.Sprintf("%s is already mapped by %s", m.source(), by))
	}
}
