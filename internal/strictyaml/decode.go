package strictyaml

import (
	"encoding"
	"errors"
	"reflect"

	"gopkg.in/yaml.v3"
)

// decoding is the state while one document is decoded.
type decoding struct {
	Decoder
	faults    []Fault
	positions map[string]Position
	values    int
	merges    []*yaml.Node // mappings whose merge keys are being followed
}

// decode fills v, which is settable, from n. A string may be empty only if mayBeEmpty is set.
func (d *decoding) decode(n *yaml.Node, path string, v reflect.Value, mayBeEmpty bool) {
	n = Target(n)
	if d.exceedsLimit(n, path) {
		return
	}
	d.positions[path] = Position{n.Line, n.Column}
	if d.decodeText(n, path, v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, path, v.Elem(), mayBeEmpty)
	case reflect.Struct:
		d.decodeStruct(n, path, v)
	case reflect.Slice:
		d.decodeList(n, path, v)
	default:
		d.decodeScalar(n, path, v, mayBeEmpty)
	}
}

// exceedsLimit counts a value, and reports once that the document has too many.
func (d *decoding) exceedsLimit(n *yaml.Node, path string) bool {
	d.values++
	if d.values == d.MaxValues+1 {
		d.fault(n, path, "too many values for a "+d.Noun)
	}
	return d.values > d.MaxValues
}

func (d *decoding) decodeList(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode || n.ShortTag() != "!!seq" {
		d.suggest(n, path, "expected a list, got "+describe(n), listOf(n, v.Type().Elem()))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		d.decode(c, Element(path, i), v.Index(i), false)
	}
}

// decodeText fills a type with UnmarshalText from a string. If the type has keys or is a list,
// it may be a mapping or a list instead, and decodeText returns false for that.
func (d *decoding) decodeText(n *yaml.Node, path string, v reflect.Value) bool {
	text, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	if !ok {
		return false
	}
	expected := "a string"
	if v.Kind() == reflect.Struct && len(keysOf(v.Type())) > 0 {
		if n.Kind != yaml.ScalarNode {
			return false
		}
		expected = "a string or a mapping"
	}
	if v.Kind() == reflect.Slice {
		if n.Kind == yaml.SequenceNode {
			return false
		}
		expected = "a string or a list"
	}
	if n.ShortTag() != "!!str" {
		d.fault(n, path, "expected "+expected+", got "+describe(n)+unquoted(n, text))
	} else if err := text.UnmarshalText([]byte(n.Value)); err != nil {
		d.faults = append(d.faults, Fault{Position: Position{n.Line, n.Column}, Path: path, Err: err})
	}
	return true
}

func (d *decoding) fault(n *yaml.Node, path, message string) { d.suggest(n, path, message, "") }

func (d *decoding) suggest(n *yaml.Node, path, message, suggestion string) {
	d.faults = append(d.faults, Fault{Position: Position{n.Line, n.Column}, Path: path, Suggestion: suggestion, Err: errors.New(message)})
}
