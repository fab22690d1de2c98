package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testschema"
)

func TestSchemaAcceptsGoodSpecs(t *testing.T) {
	schema := testschema.Of(t, "mirror")
	for _, path := range filesOf(t, specs+"/good/*.yaml") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(path, data); err != nil {
			t.Error(err)
		}
		if err := schema.ValidateYAML(data); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestSchemaRejectsBadSpecs(t *testing.T) {
	// A parser rejects the first; a schema cannot express the others.
	beyond := []string{"two-documents.yaml", "mappings-unreached.yaml", "policies-unreached.yaml", "policies-unreached-names.yaml"}
	schema := testschema.Of(t, "mirror")
	for _, path := range filesOf(t, specs+"/bad/*.yaml") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		refused := schema.ValidateYAML(data) != nil
		if known := !slices.Contains(beyond, filepath.Base(path)); refused != known {
			t.Errorf("%s: refused: %v, want %v", path, refused, known)
		}
	}
}

func TestSchemaHasTheKeysOfTheStructs(t *testing.T) {
	testschema.CompareKeys(t, "mirror", reflect.TypeFor[Spec]())
}
