package strictyaml

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// entry is a key of a mapping and its value.
type entry struct{ key, value *yaml.Node }

// mergeTag is the tag of the key <<, which merges the keys of other mappings
// (https://yaml.org/type/merge.html).
const mergeTag = "!!merge"

// entries returns the entries of a mapping, each key once: its own keys, then those of merged
// mappings that it does not have itself.
func (d *decoding) entries(n *yaml.Node, path string) []entry {
	if slices.Contains(d.merges, n) {
		d.fault(n, path, "the mapping merges itself")
		return nil
	}
	d.merges = append(d.merges, n)
	defer func() { d.merges = d.merges[:len(d.merges)-1] }()

	var own []entry
	var merged []*yaml.Node
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := Target(n.Content[i]), Target(n.Content[i+1])
		if d.invalidKey(n.Content[i], key, path, seen) {
			continue
		}
		seen[key.Value] = n.Content[i].Line
		if key.ShortTag() == mergeTag {
			merged = append(merged, d.merged(value, path)...)
			continue
		}
		own = append(own, entry{key, value})
	}
	for _, m := range merged {
		if d.exceedsLimit(m, path) {
			break
		}
		for _, e := range d.entries(m, path) {
			if _, exists := seen[e.key.Value]; !exists {
				seen[e.key.Value] = e.key.Line
				own = append(own, e)
			}
		}
	}
	return own
}

// invalidKey reports a key that is not a string or is a duplicate. Its position is that of at,
// which may be an alias.
func (d *decoding) invalidKey(at, key *yaml.Node, path string, seen map[string]int) bool {
	if tag := key.ShortTag(); key.Kind != yaml.ScalarNode || tag != "!!str" && tag != mergeTag {
		d.fault(at, path, "expected a string as key, got "+describe(key)+quoteAdvice(key))
		return true
	}
	line, duplicate := seen[key.Value]
	if duplicate {
		d.fault(at, (Object{path: path}).pathOf(key.Value), fmt.Sprintf("duplicate key; the first is on line %d", line))
	}
	return duplicate
}

// merged returns the mappings that the value of << names.
func (d *decoding) merged(value *yaml.Node, path string) []*yaml.Node {
	all := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		all = value.Content
	}
	var mappings []*yaml.Node
	for _, m := range all {
		if m = Target(m); m.Kind != yaml.MappingNode {
			d.fault(m, path, "<< merges only mappings, got "+describe(m))
			continue
		}
		mappings = append(mappings, m)
	}
	return mappings
}
