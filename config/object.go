package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/spelling"
)

// object is a mapping of the spec while it is judged.
type object struct {
	d      *decoder
	path   string
	node   *yaml.Node
	values map[string]*yaml.Node // of the keys that are there, or were meant
	clean  map[string]bool       // those in which no fault was found yet
}

// key is one that a struct knows.
type key struct {
	name     string
	field    int
	mayEmpty bool
}

// keysOf reads them from the struct's yaml tags.
func keysOf(t reflect.Type) []key {
	var keys []key
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			keys = append(keys, key{name, i, option == "mayempty"})
		}
	}
	return keys
}

func (d *decoder) mapping(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode || n.ShortTag() != "!!map" {
		d.fault(n, path, "expected a mapping, got "+describe(n))
		return
	}
	o := object{d: d, path: path, node: n, values: make(map[string]*yaml.Node), clean: make(map[string]bool)}
	keys := keysOf(v.Type())
	for _, e := range d.entries(n, path) {
		o.take(e, keys, v)
	}
	if c, ok := v.Addr().Interface().(checker); ok {
		c.check(o)
	}
}

// take decodes the value of one key.
func (o object) take(e entry, keys []key, v reflect.Value) {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
		if k.name != e.key.Value {
			continue
		}
		o.values[k.name] = e.value
		before := len(o.d.faults)
		o.d.decode(e.value, o.at(k.name), v.Field(k.field), k.mayEmpty)
		o.clean[k.name] = len(o.d.faults) == before
		return
	}
	meant := spelling.Nearest(e.key.Value, names)
	if _, there := o.values[meant]; meant != "" && !there {
		o.values[meant] = e.value // so that it is not said to be missing, too
	}
	message := "unknown key"
	if odd := oddSpace(e.key.Value); odd != 0 {
		message += fmt.Sprintf("; its line is indented with %U, which is not a space", odd)
	}
	if owner := o.ownerOf(e.key.Value, keys, v.Type()); owner != "" && meant == "" {
		message += "; indent it to make it part of " + owner
	}
	f := newFault(o.d.file, position{e.key.Line, e.key.Column}, o.at(e.key.Value), errors.New(message))
	f.Suggestion = meant
	o.d.faults = append(o.d.faults, f)
}

// ownerOf returns the key of the object that has no value, and whose mapping knows
// the name: that stands below it, and is not indented.
func (o object) ownerOf(name string, keys []key, t reflect.Type) string {
	for _, k := range keys {
		value, there := o.values[k.name]
		mapping := t.Field(k.field).Type
		if !there || value.ShortTag() != "!!null" || mapping.Kind() != reflect.Struct {
			continue
		}
		if slices.ContainsFunc(keysOf(mapping), func(inner key) bool { return inner.name == name }) {
			return k.name
		}
	}
	return ""
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// at returns the path of something in the object: a key, or key[i].
func (o object) at(rest string) string {
	if key, _, _ := strings.Cut(rest, "["); !plainKey.MatchString(key) {
		rest = strconv.Quote(shorten(rest))
	}
	if o.path == "" {
		return rest
	}
	return o.path + "." + rest
}

func (o object) has(key string) bool {
	_, ok := o.values[key]
	return ok
}

// sound says that key is there and nothing was found wrong in it.
func (o object) sound(key string) bool { return o.clean[key] }

func (o object) fault(rest, message string) { o.suggest(rest, message, "") }

func (o object) wrong(rest string, err error) {
	if err == nil {
		return
	}
	o.d.faults = append(o.d.faults, newFault(o.d.file, o.position(rest), o.at(rest), err))
}

func (o object) suggest(rest, message, suggestion string) {
	f := newFault(o.d.file, o.position(rest), o.at(rest), errors.New(message))
	f.Suggestion = suggestion
	o.d.faults = append(o.d.faults, f)
}

// place is that of a value, or of the object for one that is not there.
func (o object) position(rest string) position {
	if p, ok := o.d.positions[o.at(rest)]; ok {
		return p
	}
	return position{o.node.Line, o.node.Column}
}

// require reports a key that is missing.
func (o object) require(key string) bool {
	if o.has(key) {
		return true
	}
	o.fault(key, "missing")
	return false
}

// constant reports a value that is not the only one there is.
func (o object) constant(key, value, only string) {
	if !o.has(key) {
		o.fault(key, fmt.Sprintf("missing; must be %q", only))
	} else if o.sound(key) && value != only {
		o.fault(key, fmt.Sprintf("expected %q, got %q", only, shorten(value)))
	}
}

// choice reports a value that is none of those there are.
func (o object) choice(key, value string, choices ...string) {
	if o.sound(key) && !slices.Contains(choices, value) {
		o.suggest(key, fmt.Sprintf("%q is not one of %s", shorten(value), strings.Join(choices, ", ")), spelling.Nearest(value, choices))
	}
}

// exclusive reports each of others that stands beside key.
func (o object) exclusive(key string, others ...string) {
	for _, other := range others {
		if o.has(key) && o.has(other) {
			o.fault(other, fmt.Sprintf("%s and %s cannot be used together", other, key))
		}
	}
}

// oneOf reports an object that has none of keys.
func (o object) oneOf(what string, keys ...string) {
	for _, key := range keys {
		if o.has(key) {
			return
		}
	}
	message := what + " requires one of " + strings.Join(keys, ", ")
	o.d.fault(o.node, o.path, message)
}

// together reports one of two keys that stands alone.
func (o object) together(a, b string) {
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		if o.has(pair[0]) && !o.has(pair[1]) {
			o.fault(pair[0], fmt.Sprintf("%s requires %s", pair[0], pair[1]))
		}
	}
}

// notEmpty reports a list without elements, where that would mean all.
func (o object) notEmpty(key string) {
	if o.sound(key) && len(o.values[key].Content) == 0 {
		o.fault(key, "must not be empty; remove the key instead")
	}
}

// variables reports what no environment could expand.
func (o object) variables(key, value string) {
	if reason := variableFault(value); reason != "" {
		o.fault(key, reason)
	}
}
