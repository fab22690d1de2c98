package strictyaml

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

func (d *decoding) decodeScalar(n *yaml.Node, path string, v reflect.Value, mayBeEmpty bool) {
	var fault string
	switch v.Kind() {
	case reflect.String:
		fault = setString(n, v, mayBeEmpty)
	case reflect.Bool:
		fault = setBool(n, v)
	case reflect.Int, reflect.Int64:
		fault = setInt(n, v)
	default:
		fault = setFloat(n, v)
	}
	if fault != "" {
		d.fault(n, path, fault)
	}
}

func setString(n *yaml.Node, v reflect.Value, mayBeEmpty bool) string {
	switch {
	case n.ShortTag() != "!!str":
		return "expected a string, got " + describe(n) + quoteAdvice(n)
	case n.Value == "" && !mayBeEmpty:
		return "must not be empty"
	}
	v.SetString(n.Value)
	return ""
}

// setBool accepts the booleans of YAML 1.2. Other words, such as yes, are true for some parsers
// and strings for most.
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

// describe names the type and the text of a value, for messages.
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

// quoteAdvice returns how to write a value that YAML does not read as a string: without quotes
// the tag 3.10 would be 3.1.
func quoteAdvice(n *yaml.Node) string {
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool", "!!timestamp":
		return fmt.Sprintf("; put it in quotes: %q", shorten(n.Value))
	}
	return ""
}

// shorten returns at most 60 bytes of s, for messages.
func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
