package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value, mayEmpty bool) {
	var wrong string
	switch v.Kind() {
	case reflect.String:
		wrong = setString(n, v, mayEmpty)
	case reflect.Bool:
		wrong = setBool(n, v)
	case reflect.Int, reflect.Int64:
		wrong = setInt(n, v)
	default:
		wrong = setFloat(n, v)
	}
	if wrong != "" {
		d.fault(n, path, wrong)
	}
}

func setString(n *yaml.Node, v reflect.Value, mayEmpty bool) string {
	switch {
	case n.ShortTag() != "!!str":
		return "expected a string, got " + describe(n) + quoted(n)
	case n.Value == "" && !mayEmpty:
		return "must not be empty"
	}
	v.SetString(n.Value)
	return ""
}

// setBool takes the words of YAML 1.2. Others, such as yes, are strings to most
// parsers and true to some.
func setBool(n *yaml.Node, v reflect.Value) string {
	word := strings.ToLower(n.Value)
	if n.ShortTag() != "!!bool" || word != "true" && word != "false" {
		return "expected true or false, got " + describe(n)
	}
	v.SetBool(word == "true")
	return ""
}

func setInt(n *yaml.Node, v reflect.Value) string {
	var i int64
	if n.ShortTag() != "!!int" || n.Decode(&i) != nil || v.OverflowInt(i) {
		return "expected a whole number, got " + describe(n)
	}
	v.SetInt(i)
	return ""
}

func setFloat(n *yaml.Node, v reflect.Value) string {
	var f float64
	tag := n.ShortTag()
	if tag != "!!int" && tag != "!!float" || n.Decode(&f) != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return "expected a number, got " + describe(n)
	}
	v.SetFloat(f)
	return ""
}

// describe says what a value is, in the words of who wrote it.
func describe(n *yaml.Node) string {
	tag := n.ShortTag()
	switch tag {
	case "!!map":
		return "a mapping"
	case "!!seq":
		return "a list"
	case "!!null":
		return "nothing"
	case "!!str":
		return "the string " + strconv.Quote(shorten(n.Value))
	case "!!int", "!!float":
		return "the number " + shorten(n.Value)
	case "!!bool", "!!timestamp":
		return shorten(n.Value)
	}
	return "a value of the unknown type " + strconv.Quote(shorten(tag))
}

// quoted says how to make a string of what YAML takes for something else: a tag
// such as 3.10 would be 3.1 otherwise.
func quoted(n *yaml.Node) string {
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!timestamp":
		return fmt.Sprintf("; put it in quotes: %q", shorten(n.Value))
	}
	return ""
}

func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
