package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/testschema"
)

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// TestDocumentedExamples loads each example of docs/spec.md. Most omit apiVersion and kind.
func TestDocumentedExamples(t *testing.T) {
	doc, err := os.ReadFile("../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	schema := testschema.Of(t, "mirror")
	shown := make(map[string]bool)
	for _, block := range yamlBlock.FindAllSubmatch(doc, -1) {
		example := string(block[1])
		if strings.Contains(example, "kind: MirrorLock") {
			continue
		}
		if !strings.Contains(example, "apiVersion:") {
			example = head + example
		}
		if _, err := Parse("docs/spec.md", []byte(example)); err != nil {
			t.Errorf("%v\n%s", err, example)
		}
		if err := schema.ValidateYAML([]byte(example)); err != nil {
			t.Errorf("%v\n%s", err, example)
		}
		var value yaml.Node
		if err := yaml.Unmarshal([]byte(example), &value); err != nil {
			t.Fatal(err)
		}
		collectKeys(&value, shown)
	}
	for name := range testschema.EveryKey(reflect.TypeFor[Spec]()) {
		if !shown[name] {
			t.Errorf("docs/spec.md shows no example of %s", name)
		}
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/spec.md does not explain %s", name)
		}
	}
}

// TestDocumentedPolicies loads each example of docs/trust.md.
func TestDocumentedPolicies(t *testing.T) {
	doc, err := os.ReadFile("../docs/trust.md")
	if err != nil {
		t.Fatal(err)
	}
	schema := testschema.Of(t, "mirror")
	examples := yamlBlock.FindAllSubmatch(doc, -1)
	for _, block := range examples {
		example := head + string(block[1])
		if _, err := Parse("docs/trust.md", []byte(example)); err != nil {
			t.Errorf("%v\n%s", err, example)
		}
		if err := schema.ValidateYAML([]byte(example)); err != nil {
			t.Errorf("%v\n%s", err, example)
		}
	}
	if len(examples) == 0 {
		t.Error("docs/trust.md shows no policy")
	}
}

var mappedComment = regexp.MustCompile(`# (\S+) -> ([^\s,]+)`)

// TestDocumentedMappings maps the references in the comments of the examples.
func TestDocumentedMappings(t *testing.T) {
	doc, err := os.ReadFile("../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, block := range yamlBlock.FindAllSubmatch(doc, -1) {
		for _, comment := range mappedComment.FindAllSubmatch(block[1], -1) {
			spec, err := Parse("docs/spec.md", append([]byte(head), block[1]...))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := mapped(t, spec, string(comment[1])), string(comment[2]); got != want {
				t.Errorf("%s maps to %s, docs/spec.md says %s", comment[1], got, want)
			}
			tested++
		}
	}
	if tested < 5 {
		t.Errorf("only %d examples were found", tested)
	}
}

func mapped(t *testing.T, spec *Spec, reference string) string {
	t.Helper()
	m, err := spec.Mapper()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	repository, tag, ok, err := m.Map(r)
	if err != nil || !ok {
		t.Fatalf("%s: %v, %v", reference, ok, err)
	}
	return Reference{Repository: repository, Tag: tag}.String()
}

func collectKeys(n *yaml.Node, keys map[string]bool) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			keys[c.Value] = true
		}
		collectKeys(c, keys)
	}
}
