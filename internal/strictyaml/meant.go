package strictyaml

import (
	"encoding"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// The functions in this file find what a value of the wrong shape was meant to be.

// unquoted says how to write a value that is not a string as one: in quotes, or else what is
// wrong with it in quotes, too. text is not changed if that is invalid.
func unquoted(n *yaml.Node, text encoding.TextUnmarshaler) string {
	advice := quoteAdvice(n)
	if advice == "" {
		return ""
	}
	if err := text.UnmarshalText([]byte(n.Value)); err != nil {
		return ": " + err.Error()
	}
	return advice
}

// listOf returns a list with a string as its only element; "" if the elements are no strings.
func listOf(n *yaml.Node, element reflect.Type) string {
	_, isText := reflect.New(element).Interface().(encoding.TextUnmarshaler)
	if n.ShortTag() != "!!str" || !isText && element.Kind() != reflect.String {
		return ""
	}
	return flowList(n)
}

// mappingFrom returns the mapping that a string or a list was meant to be, for a struct with a
// method Key: a mapping with that key alone.
func mappingFrom(n *yaml.Node, v reflect.Value) string {
	owner, has := v.Addr().Interface().(interface{ Key(value string) string })
	first := n
	if n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
		first = n.Content[0]
	}
	if !has || first.Kind != yaml.ScalarNode || first.ShortTag() == "!!null" {
		return ""
	}
	list := flowList(n)
	if list == "" {
		return ""
	}
	return "{" + owner.Key(first.Value) + ": " + list + "}"
}

// maxMeant bounds the elements of a list that is suggested.
const maxMeant = 5

// flowList returns the scalars of a node as a list in quotes; "" if there are too many, or
// others.
func flowList(n *yaml.Node) string {
	all := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		all = n.Content
	}
	var quoted []string
	for _, one := range all {
		if one.Kind != yaml.ScalarNode || strings.ContainsAny(one.Value, "'\n") || len(all) > maxMeant {
			return ""
		}
		quoted = append(quoted, "'"+shorten(one.Value)+"'")
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
