// Package testschema compares documents and structs with the JSON schemas of this module in tests.
package testschema

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/schemas"
)

// Schema is a compiled schema.
type Schema struct{ compiled *jsonschema.Schema }

// Of returns the schema with a name, such as "mirror".
func Of(t testing.TB, name string) Schema {
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
	return Schema{schema}
}

// ValidateYAML validates a document as an editor would, decoded by yaml.v3 itself.
func (s Schema) ValidateYAML(data []byte) error {
	var value any
	if err := yaml.Unmarshal(data, &value); err != nil {
		return err
	}
	return s.compiled.Validate(value)
}
