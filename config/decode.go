package config

import (
	"encoding"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// decoder fills the types of a spec from YAML nodes. It goes by the types: a
// struct is a mapping with the keys of its yaml tags and no others. It differs
// from yaml.v3's own in that it collects all faults with their places, and
// believes a value only if it has the type that is written.
type decoder struct {
	file   string
	faults []Fault
	places map[string]place
	values int
	merges []*yaml.Node // mappings whose merge keys are being followed
}

// maxValues bounds what a small file can unfold to by aliases.
const maxValues = 1 << 20

// checker is a struct that judges its values once it is filled.
type checker interface {
	check(o object)
}

// decode fills v, which is settable, from n. Only where mayEmpty is set may a
// string be empty.
func (d *decoder) decode(n *yaml.Node, path string, v reflect.Value, mayEmpty bool) {
	n = follow(n)
	if d.exhausted(n, path) {
		return
	}
	d.places[path] = place{n.Line, n.Column}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok && n.Kind == yaml.ScalarNode {
		d.text(n, path, text)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, path, v.Elem(), mayEmpty)
	case reflect.Struct:
		d.mapping(n, path, v)
	case reflect.Slice:
		d.sequence(n, path, v)
	default:
		d.scalar(n, path, v, mayEmpty)
	}
}

// exhausted counts one more value, and says once that they are too many.
func (d *decoder) exhausted(n *yaml.Node, path string) bool {
	d.values++
	if d.values == maxValues+1 {
		d.fault(n, path, "too many values for a spec")
	}
	return d.values > maxValues
}

func (d *decoder) sequence(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode || n.ShortTag() != "!!seq" {
		d.fault(n, path, "must be a list, is "+describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		d.decode(c, element(path, i), v.Index(i), false)
	}
}

// text fills a struct that has a short form, which is a string.
func (d *decoder) text(n *yaml.Node, path string, text encoding.TextUnmarshaler) {
	if n.ShortTag() != "!!str" {
		d.fault(n, path, "must be a string or a mapping, is "+describe(n)+quoted(n))
		return
	}
	if err := text.UnmarshalText([]byte(n.Value)); err != nil {
		d.faults = append(d.faults, newFault(d.file, place{n.Line, n.Column}, path, err))
	}
}

func (d *decoder) fault(n *yaml.Node, path, message string) {
	d.faults = append(d.faults, newFault(d.file, place{n.Line, n.Column}, path, errors.New(message)))
}

// newFault takes the suggestion from err, if it has one, and keeps err as the
// cause.
func newFault(file string, p place, path string, err error) Fault {
	f := Fault{File: file, Line: p.line, Column: p.column, Path: path, Message: oneLine(err.Error()), Err: err}
	var wrong *ReferenceError
	if errors.As(err, &wrong) {
		f.Suggestion = wrong.Suggestion
	}
	return f
}

// oneLine keeps the promise of one fault a line, whatever is quoted in it.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// element returns the path of a list's element.
func element(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}
