package config

import "strings"

// coverage knows what mappings match, to find one that is never reached.
type coverage map[covered]int

// covered is what a mapping matches: a prefix, or whatever a pattern does.
type covered struct{ registry, prefix, pattern string }

// add takes a mapping's number. If an earlier one matches all that it matches,
// add returns that one's number instead. Of two patterns nobody can tell, unless
// they are the same.
func (c coverage) add(m *Mapping, number int) (earlier int, ok bool) {
	if m.SourcePattern != "" {
		return c.put(covered{pattern: m.SourcePattern}, number)
	}
	registry, path := splitSource(m.Source)
	if m.Source == "" || len(path) > maxRepositoryLength {
		return 0, false // a fault of its own
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
