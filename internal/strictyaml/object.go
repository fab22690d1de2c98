package strictyaml

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/spelling"
)

// Object is a mapping of the document while its struct is checked. Its methods report faults
// of the values of keys; a key may be followed by a path within the value, as in key[2].
type Object struct {
	d      *decoding
	path   string
	node   *yaml.Node
	values map[string]*yaml.Node // by key; also by a key that was misspelled
	valid  map[string]bool       // keys whose values have no fault so far
}

// Has reports whether the mapping has a key.
func (o Object) Has(key string) bool {
	_, ok := o.values[key]
	return ok
}

// Valid reports whether the mapping has a key and its value has no fault so far.
func (o Object) Valid(key string) bool { return o.valid[key] }

// Position returns the position of a value, or that of the mapping if it does not exist.
func (o Object) Position(key string) Position {
	if p, ok := o.d.positions[o.pathOf(key)]; ok {
		return p
	}
	return Position{o.node.Line, o.node.Column}
}

// Fault reports a fault.
func (o Object) Fault(key, message string) { o.Suggest(key, message, "") }

// Suggest reports a fault with a value that was probably meant.
func (o Object) Suggest(key, message, suggestion string) {
	o.d.faults = append(o.d.faults, Fault{Position: o.Position(key), Path: o.pathOf(key), Suggestion: suggestion, Err: errors.New(message)})
}

// Error reports err as a fault, unless it is nil.
func (o Object) Error(key string, err error) {
	if err != nil {
		o.d.faults = append(o.d.faults, Fault{Position: o.Position(key), Path: o.pathOf(key), Err: err})
	}
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// pathOf returns the path of a value in the mapping.
func (o Object) pathOf(key string) string {
	if name, _, _ := strings.Cut(key, "["); !plainKey.MatchString(name) {
		key = strconv.Quote(shorten(key))
	}
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// Require reports a missing key.
func (o Object) Require(key string) bool {
	if !o.Has(key) {
		o.Fault(key, "missing")
	}
	return o.Has(key)
}

// Constant reports a key that is missing or has a value other than want.
func (o Object) Constant(key, value, want string) {
	if !o.Has(key) {
		o.Fault(key, fmt.Sprintf("missing; must be %q", want))
	} else if o.Valid(key) && value != want {
		o.Fault(key, fmt.Sprintf("expected %q, got %q", want, shorten(value)))
	}
}

// Choice reports a value that is not one of choices.
func (o Object) Choice(key, value string, choices ...string) {
	if o.Valid(key) && !slices.Contains(choices, value) {
		o.Suggest(key, fmt.Sprintf("%q is not one of %s", shorten(value), strings.Join(choices, ", ")), spelling.Nearest(value, choices))
	}
}

// Exclusive reports each of others that is used together with key.
func (o Object) Exclusive(key string, others ...string) {
	for _, other := range others {
		if o.Has(key) && o.Has(other) {
			o.Fault(other, fmt.Sprintf("%s and %s cannot be used together", other, key))
		}
	}
}

// OneOf reports a mapping, called by noun, without any of keys.
func (o Object) OneOf(noun string, keys ...string) {
	if !slices.ContainsFunc(keys, o.Has) {
		o.d.fault(o.node, o.path, noun+" requires one of "+strings.Join(keys, ", "))
	}
}

// Together reports one of two keys without the other.
func (o Object) Together(a, b string) {
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		if o.Has(pair[0]) && !o.Has(pair[1]) {
			o.Fault(pair[0], fmt.Sprintf("%s requires %s", pair[0], pair[1]))
		}
	}
}

// NotEmpty reports a list without elements.
func (o Object) NotEmpty(key string) {
	if n := o.values[key]; o.Valid(key) && n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		o.Fault(key, "must not be empty; remove the key instead")
	}
}
