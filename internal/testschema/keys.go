package testschema

import (
	"encoding"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/schemas"
)

// CompareKeys checks that a schema and a struct have the same keys, with the same types.
func CompareKeys(t *testing.T, name string, typ reflect.Type) {
	t.Helper()
	var root node
	text, _ := schemas.Of(name)
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	compare(t, root.Defs, name, &root, typ)
}

// compare compares a schema with a type.
func compare(t *testing.T, defs map[string]*node, path string, n *node, typ reflect.Type) {
	t.Helper()
	n = deref(t, defs, n)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	for _, form := range n.OneOf {
		if form = deref(t, defs, form); form.Type == "object" || form.Type == "array" {
			n = form
		}
	}
	want := map[reflect.Kind]string{
		reflect.Struct: "object", reflect.Slice: "array", reflect.String: "string",
		reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer", reflect.Float64: "number",
	}[typ.Kind()]
	if isText(typ) {
		want = "string"
	}
	if n.Type != want && !(want == "string" && (n.Const != "" || n.Enum != nil)) {
		t.Errorf("%s: the schema says %q, the struct %s", path, n.Type, typ)
	}
	switch {
	case want == "array":
		compare(t, defs, path+"[]", n.Items, typ.Elem())
	case want == "object":
		compareKeys(t, defs, path, n, typ)
	}
}

// isText reports whether a struct is always written as a string.
func isText(typ reflect.Type) bool {
	return (typ.Kind() == reflect.Int64 || typ.Kind() == reflect.Struct && len(keysOf(typ)) == 0) &&
		reflect.PointerTo(typ).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func compareKeys(t *testing.T, defs map[string]*node, path string, n *node, typ reflect.Type) {
	t.Helper()
	if n.Additional == nil || *n.Additional {
		t.Errorf("%s: the schema allows unknown keys", path)
	}
	known := make(map[string]bool)
	for name, value := range keysOf(typ) {
		known[name] = true
		if n.Properties[name] == nil {
			t.Errorf("%s.%s: not in the schema", path, name)
			continue
		}
		compare(t, defs, path+"."+name, n.Properties[name], value)
	}
	for name := range n.Properties {
		if !known[name] {
			t.Errorf("%s.%s: only in the schema", path, name)
		}
	}
}

// EveryKey returns the keys of a struct and of the structs in it, by their yaml tags.
func EveryKey(typ reflect.Type) map[string]bool {
	keys := make(map[string]bool)
	if typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
		return EveryKey(typ.Elem())
	}
	if typ.Kind() != reflect.Struct {
		return keys
	}
	for name, value := range keysOf(typ) {
		keys[name] = true
		for inner := range EveryKey(value) {
			keys[inner] = true
		}
	}
	return keys
}

// keysOf returns the keys in the yaml tags of a struct, with the types of their values.
func keysOf(typ reflect.Type) map[string]reflect.Type {
	keys := make(map[string]reflect.Type)
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			keys[name] = typ.Field(i).Type
		}
	}
	return keys
}

// node is the part of a JSON schema that lists keys.
type node struct {
	Ref        string           `json:"$ref"`
	Type       string           `json:"type"`
	Const      string           `json:"const"`
	Enum       []string         `json:"enum"`
	Properties map[string]*node `json:"properties"`
	Additional *bool            `json:"additionalProperties"`
	Items      *node            `json:"items"`
	OneOf      []*node          `json:"oneOf"`
	Defs       map[string]*node `json:"$defs"`
}

// UnmarshalJSON takes the schema false for one that names no keys.
func (n *node) UnmarshalJSON(data []byte) error {
	if string(data) == "false" {
		return nil
	}
	type plain node
	return json.Unmarshal(data, (*plain)(n))
}

func deref(t *testing.T, defs map[string]*node, n *node) *node {
	t.Helper()
	for n.Ref != "" {
		if n = defs[filepath.Base(n.Ref)]; n == nil {
			t.Fatal("the schema refers to nothing")
		}
	}
	return n
}
