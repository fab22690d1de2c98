package config

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// entry is a key of a mapping and its value.
type entry struct{ key, value *yaml.Node }

// mergeTag is that of the key <<, which takes in the keys of other mappings:
// https://yaml.org/type/merge.html
const mergeTag = "!!merge"

// entries returns what a mapping holds, each key once: its own keys, then those
// that it merges and has not itself.
func (d *decoder) entries(n *yaml.Node, path string) []entry {
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
		key, value := follow(n.Content[i]), follow(n.Content[i+1])
		if d.unusable(n.Content[i], key, path, seen) {
			continue
		}
		seen[key.Value] = n.Content[i].Line
		if key.ShortTag() == mergeTag {
			merged = append(merged, d.mergeable(value, path)...)
			continue
		}
		own = append(own, entry{key, value})
	}
	for _, m := range merged {
		if d.exhausted(m, path) {
			break
		}
		for _, e := range d.entries(m, path) {
			if _, there := seen[e.key.Value]; !there {
				seen[e.key.Value] = e.key.Line
				own = append(own, e)
			}
		}
	}
	return own
}

// unusable reports a key that is none, or not the first of its name. It stands
// where at is, which may be an alias.
func (d *decoder) unusable(at, key *yaml.Node, path string, seen map[string]int) bool {
	if tag := key.ShortTag(); key.Kind != yaml.ScalarNode || tag != "!!str" && tag != mergeTag {
		d.fault(at, path, "expected a string as key, got "+describe(key)+quoted(key))
		return true
	}
	line, twice := seen[key.Value]
	if twice {
		d.fault(at, (object{path: path}).at(key.Value), fmt.Sprintf("duplicate key; the first is on line %d", line))
	}
	return twice
}

// mergeable returns the mappings that the value of << names.
func (d *decoder) mergeable(value *yaml.Node, path string) []*yaml.Node {
	all := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		all = value.Content
	}
	var mappings []*yaml.Node
	for _, m := range all {
		if m = follow(m); m.Kind != yaml.MappingNode {
			d.fault(m, path, "<< merges only mappings, got "+describe(m))
			continue
		}
		mappings = append(mappings, m)
	}
	return mappings
}

// follow returns what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
