package discover

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// elements returns the elements of the list that is the value of a key.
func elements(n *yaml.Node, key string) []*yaml.Node {
	list := strictyaml.Value(n, key)
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	all := make([]*yaml.Node, len(list.Content))
	for i, c := range list.Content {
		all[i] = strictyaml.Target(c)
	}
	return all
}

// textOf returns the text of a scalar that is the value of a key, or "".
func textOf(n *yaml.Node, key string) string {
	value := strictyaml.Value(n, key)
	if value == nil || value.Kind != yaml.ScalarNode || value.ShortTag() == "!!null" {
		return ""
	}
	return value.Value
}

// groupOf returns the group of an apiVersion: apps of apps/v1, "" of v1.
func groupOf(version string) string {
	group, _, ok := strings.Cut(version, "/")
	if !ok {
		return ""
	}
	return group
}

// entry is a key of a mapping and its value.
type entry struct {
	key   string
	value *yaml.Node
}

// entries returns the entries of a mapping: its own, then those of merged mappings that it does
// not have itself.
func (w *walk) entries(n *yaml.Node) []entry {
	var all []entry
	var merged []*yaml.Node
	own := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := strictyaml.Target(n.Content[i]), n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		own[key.Value] = true
		all = append(all, entry{key.Value, value})
	}
	for _, m := range merged {
		all = append(all, w.mergedEntries(m, own)...)
	}
	return all
}

// mergedEntries returns the entries of a mapping, or a list of them, whose keys are not in own.
func (w *walk) mergedEntries(m *yaml.Node, own map[string]bool) []entry {
	m = strictyaml.Target(m)
	if !w.unfold(m) {
		return nil
	}
	var all []entry
	if m.Kind == yaml.SequenceNode {
		for _, c := range m.Content {
			all = append(all, w.mergedEntries(c, own)...)
		}
		return all
	}
	if m.Kind != yaml.MappingNode {
		return nil
	}
	for _, e := range w.entries(m) {
		if !own[e.key] {
			own[e.key] = true
			all = append(all, e)
		}
	}
	return all
}
