package config

import (
	"bytes"
	"encoding"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/schemas"
)

func compileSchema(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	text, _ := schemas.Of(name)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name+".schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(name + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// validate validates data as an editor would, decoded by yaml.v3 itself.
func validate(schema *jsonschema.Schema, data []byte) error {
	var value any
	if err := yaml.Unmarshal(data, &value); err != nil {
		return err
	}
	return schema.Validate(value)
}

func TestSchemaAcceptsGoodSpecs(t *testing.T) {
	schema := compileSchema(t, "mirror")
	for _, path := range filesOf(t, specs+"/good/*.yaml") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(path, data); err != nil {
			t.Error(err)
		}
		if err := validate(schema, data); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestSchemaRejectsBadSpecs(t *testing.T) {
	// A parser rejects the first; a schema cannot express the others.
	beyond := []string{"two-documents.yaml", "mappings-unreached.yaml", "policies-unreached.yaml"}
	schema := compileSchema(t, "mirror")
	for _, path := range filesOf(t, specs+"/bad/*.yaml") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		refused := validate(schema, data) != nil
		if known := !slices.Contains(beyond, filepath.Base(path)); refused != known {
			t.Errorf("%s: refused: %v, want %v", path, refused, known)
		}
	}
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

func TestSchemaHasTheKeysOfTheStructs(t *testing.T) {
	for name, typ := range map[string]reflect.Type{"mirror": reflect.TypeFor[Spec](), "lock": reflect.TypeFor[lockFile]()} {
		var root node
		text, _ := schemas.Of(name)
		if err := json.Unmarshal(text, &root); err != nil {
			t.Fatal(err)
		}
		compare(t, root.Defs, name, &root, typ)
	}
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

func deref(t *testing.T, defs map[string]*node, n *node) *node {
	t.Helper()
	for n.Ref != "" {
		if n = defs[filepath.Base(n.Ref)]; n == nil {
			t.Fatal("the schema refers to nothing")
		}
	}
	return n
}
