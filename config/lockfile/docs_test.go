package lockfile

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testschema"
)

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// TestDocumentedLock loads each example of a lock and writes it unchanged.
func TestDocumentedLock(t *testing.T) {
	doc, err := os.ReadFile("../../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, block := range yamlBlock.FindAllSubmatch(doc, -1) {
		example := string(block[1])
		if !strings.Contains(example, "kind: "+Kind) {
			continue
		}
		if err := testschema.Of(t, "lock").ValidateYAML(block[1]); err != nil {
			t.Error(err)
		}
		lock, err := Parse("docs/spec.md", block[1])
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if _, err := lock.WriteTo(&b); err != nil || b.String() != example {
			t.Errorf("%v\n%s\nis written as\n%s", err, example, b.String())
		}
		tested++
	}
	if tested == 0 {
		t.Error("docs/spec.md shows no lock")
	}
	for name := range testschema.EveryKey(reflect.TypeFor[document]()) {
		if !strings.Contains(string(doc), "`"+name+"`") && !strings.Contains(string(doc), name+":") {
			t.Errorf("docs/spec.md does not explain %s", name)
		}
	}
}

func TestSchemaHasTheKeysOfTheStructs(t *testing.T) {
	testschema.CompareKeys(t, "lock", reflect.TypeFor[document]())
}
