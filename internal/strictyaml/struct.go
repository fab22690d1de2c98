package strictyaml

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/spelling"
)

// The options of a yaml tag.
const (
	optionEmpty  = "mayempty" // the string may be empty
	optionToggle = "toggle"   // true or false in place of the mapping sets this *bool, which has no key
)

// key is a key of a struct.
type key struct {
	name       string
	field      int
	mayBeEmpty bool
}

// keysOf returns the keys in the yaml tags of a struct.
func keysOf(t reflect.Type) []key {
	var keys []key
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			keys = append(keys, key{name, i, option == optionEmpty})
		}
	}
	return keys
}

// maxKeysInFault is the largest number of keys that a fault lists.
const maxKeysInFault = 8

// mappingOf returns the noun for a mapping with these keys; it names them if they are few.
func mappingOf(keys []key) string {
	if len(keys) > maxKeysInFault {
		return "a mapping"
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return "a mapping (" + strings.Join(names, ", ") + ")"
}

// toggleOf returns the field of a struct that true or false sets.
func toggleOf(v reflect.Value) (field reflect.Value, ok bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == ","+optionToggle {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func (d *decoding) decodeStruct(n *yaml.Node, path string, v reflect.Value) {
	if toggle, ok := toggleOf(v); ok && n.Kind != yaml.MappingNode {
		d.decodeToggle(n, path, toggle)
		return
	}
	if n.Kind != yaml.MappingNode || n.ShortTag() != "!!map" {
		d.suggest(n, path, "expected "+mappingOf(keysOf(v.Type()))+", got "+describe(n), mappingFrom(n, v))
		return
	}
	o := Object{d: d, path: path, node: n, values: make(map[string]*yaml.Node), valid: make(map[string]bool)}
	keys := keysOf(v.Type())
	for _, e := range d.entries(n, path) {
		o.decodeEntry(e, keys, v)
	}
	if c, ok := v.Addr().Interface().(checker); ok {
		c.Check(o)
	}
}

func (d *decoding) decodeToggle(n *yaml.Node, path string, toggle reflect.Value) {
	on := new(bool)
	if setBool(n, reflect.ValueOf(on).Elem()) != "" {
		d.fault(n, path, "expected true, false or a mapping, got "+describe(n))
		return
	}
	toggle.Set(reflect.ValueOf(on))
}

// decodeEntry decodes the value of a key into its field.
func (o Object) decodeEntry(e entry, keys []key, v reflect.Value) {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == e.key.Value })
	if i < 0 {
		o.unknownKey(e, keys, v.Type())
		return
	}
	k, before := keys[i], len(o.d.faults)
	o.values[k.name] = e.value
	o.d.decode(e.value, o.pathOf(k.name), v.Field(k.field), k.mayBeEmpty)
	o.valid[k.name] = len(o.d.faults) == before
}

func (o Object) unknownKey(e entry, keys []key, t reflect.Type) {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	nearest := spelling.Nearest(e.key.Value, names)
	if other, has := reflect.New(t).Interface().(interface{ Synonyms() map[string]string }); has {
		nearest = cmp.Or(other.Synonyms()[e.key.Value], nearest)
	}
	if nearest != "" && !o.Has(nearest) {
		o.values[nearest] = e.value // so that it is not reported as missing too
	}
	message := "unknown key"
	if odd := oddSpace(e.key.Value); odd != 0 {
		message += fmt.Sprintf("; its line is indented with %U, which is not a space", odd)
	}
	if owner := o.ownerOf(e.key.Value, keys, t); owner != "" && nearest == "" {
		message += "; indent it to make it part of " + owner
	}
	o.d.faults = append(o.d.faults, Fault{
		Position: Position{e.key.Line, e.key.Column}, Path: o.pathOf(e.key.Value), Suggestion: nearest, Err: errors.New(message),
	})
}

// ownerOf returns a key without a value whose mapping has the name: the name follows that key,
// but is not indented.
func (o Object) ownerOf(name string, keys []key, t reflect.Type) string {
	for _, k := range keys {
		value, exists := o.values[k.name]
		mapping := t.Field(k.field).Type
		if !exists || value.ShortTag() != "!!null" || mapping.Kind() != reflect.Struct {
			continue
		}
		if slices.ContainsFunc(keysOf(mapping), func(inner key) bool { return inner.name == name }) {
			return k.name
		}
	}
	return ""
}
