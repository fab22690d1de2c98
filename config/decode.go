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
// from yaml.v3's own in that it collects all faults with their positions, and
// believes a value only if it has the type that is written.
type decoder struct {
	form      form
	file      string
	faults    []Fault
	positions map[string]position
	values    int
	merges    []*yaml.Node // mappings whose merge keys are being followed
}

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
	d.positions[path] = position{n.Line, n.Column}
	if d.short(n, path, v) {
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
	if d.values == d.form.values+1 {
		d.fault(n, path, "too many values for a "+d.form.noun)
	}
	return d.values > d.form.values
}

func (d *decoder) sequence(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode || n.ShortTag() != "!!seq" {
		d.fault(n, path, "expected a list, got "+describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		d.decode(c, element(path, i), v.Index(i), false)
	}
}

// short fills a struct that may be, or has to be, a scalar.
func (d *decoder) short(n *yaml.Node, path string, v reflect.Value) bool {
	scalar := n.Kind == yaml.ScalarNode
	switch form := v.Addr().Interface().(type) {
	case *ReferrerChoice:
		if n.Kind != yaml.MappingNode {
			d.toggle(n, path, form)
			return true
		}
	case encoding.TextUnmarshaler:
		if len(keysOf(v.Type())) == 0 {
			d.text(n, path, form, "a string")
			return true
		}
		if scalar {
			d.text(n, path, form, "a string or a mapping")
		}
		return scalar
	}
	return false
}

func (d *decoder) toggle(n *yaml.Node, path string, choice *ReferrerChoice) {
	on := new(bool)
	if setBool(n, reflect.ValueOf(on).Elem()) != "" {
		d.fault(n, path, "expected true, false or a mapping, got "+describe(n))
		return
	}
	choice.Referrers = on
}

// text fills a struct from a string; must says what else it could be.
func (d *decoder) text(n *yaml.Node, path string, text encoding.TextUnmarshaler, must string) {
	if n.ShortTag() != "!!str" {
		d.fault(n, path, "expected "+must+", got "+describe(n)+quoted(n))
		return
	}
	if err := text.UnmarshalText([]byte(n.Value)); err != nil {
		d.faults = append(d.faults, newFault(d.file, position{n.Line, n.Column}, path, err))
	}
}

func (d *decoder) fault(n *yaml.Node, path, message string) {
	d.faults = append(d.faults, newFault(d.file, position{n.Line, n.Column}, path, errors.New(message)))
}

// newFault takes the suggestion from err, if it has one, and keeps err as the
// cause.
func newFault(file string, p position, path string, err error) Fault {
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
