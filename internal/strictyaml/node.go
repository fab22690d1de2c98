package strictyaml

import "gopkg.in/yaml.v3"

// Target returns the node that an alias refers to, and any other node itself.
func Target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// Value returns the value of a key of a mapping, with an alias replaced by its target; nil if
// there is none. It does not look into merged mappings.
func Value(n *yaml.Node, key string) *yaml.Node {
	n = Target(n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return Target(n.Content[i+1])
		}
	}
	return nil
}
