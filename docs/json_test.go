package docs

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/schemas"
)

// schemaNode is a part of a JSON schema.
type schemaNode struct {
	Ref        string                     `json:"$ref"`
	Defs       map[string]json.RawMessage `json:"$defs"`
	Type       string
	Const      any
	Enum       []any
	Properties map[string]json.RawMessage
	Items      json.RawMessage
}

// vocabulary collects the names of schemas, each with its types and the schemas that have it.
type vocabulary struct {
	types  map[string]map[string]string // by name, then by type
	totals map[string]map[string]string // of names in totals
	defs   map[string]json.RawMessage   // of the schema that is walked
}

// typeWords names the types as docs/json.md does.
var typeWords = map[string]string{"string": "text", "integer": "number", "number": "number", "boolean": "bool", "array": "list", "object": "object"}

// walk collects the names in a part of a schema.
func (v *vocabulary) walk(t *testing.T, schema string, data json.RawMessage, totals bool) {
	t.Helper()
	n := v.node(t, data)
	for name, property := range n.Properties {
		if string(property) == "false" || string(property) == "{}" { // forbidden, or described elsewhere
			continue
		}
		of := v.node(t, property)
		word := typeWords[of.Type]
		if of.Const != nil || of.Enum != nil {
			word = "text"
		}
		if word == "" {
			t.Errorf("%s: %s has no type", schema, name)
		}
		v.add(name, word, schema, totals)
		v.walk(t, schema, property, name == "totals")
	}
	if n.Items != nil {
		v.walk(t, schema, n.Items, totals)
	}
}

// add adds a name with its type. The name of a list in totals is the number of its items.
func (v *vocabulary) add(name, word, schema string, totals bool) {
	types := v.types
	if totals {
		types = v.totals
	}
	if types[name] == nil {
		types[name] = make(map[string]string)
	}
	types[name][word] = schema
}

// rows returns the rows of the table in docs/json.md, sorted by name.
func (v *vocabulary) rows(t *testing.T) (rows []string) {
	t.Helper()
	for name, types := range v.totals {
		if _, listed := v.types[name]["list"]; listed && len(types) == 1 && types["number"] != "" {
			continue
		}
		for word, schema := range types {
			v.add(name, word, schema, false)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.types)) {
		if len(v.types[name]) > 1 {
			t.Errorf("%s has several types: %v", name, v.types[name])
		}
		for word := range v.types[name] {
			rows = append(rows, fmt.Sprintf("| `%s` | %s |", name, word))
		}
	}
	return rows
}

func (v *vocabulary) node(t *testing.T, data json.RawMessage) (n schemaNode) {
	t.Helper()
	if err := json.Unmarshal(data, &n); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
		return v.node(t, v.defs[name])
	}
	return n
}

// schemaFiles lists the names of all schemas but those of the mirror spec and of the lock,
// whose keys docs/spec.md explains.
func schemaFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("schemas/*.schema.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d schemas, %v", len(files), err)
	}
	var names []string
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".schema.json"); name != "mirror" && name != "lock" {
			names = append(names, name)
		}
	}
	return names
}

// isInLayout reports whether a schema is that of a file in a layout. These are read by programs
// of ours and have no header; other pages explain them.
func isInLayout(schema string) bool { return schema == "part" || schema == "prune-list" }

// TestNamesInJSON checks that each name in a schema has one type, that docs/json.md explains it
// with that type, and that the page explains nothing else.
func TestNamesInJSON(t *testing.T) {
	page := readPage(t, "docs/json.md")
	v := &vocabulary{types: make(map[string]map[string]string), totals: make(map[string]map[string]string)}
	for _, name := range schemaFiles(t) {
		if isInLayout(name) {
			continue
		}
		data, _ := schemas.Of(name)
		var root schemaNode
		if err := json.Unmarshal(data, &root); err != nil {
			t.Fatal(err)
		}
		v.defs = root.Defs
		switch name {
		case "statement": // the rest is the form of in-toto
			v.walk(t, name, root.Defs["predicate"], false)
		case "event":
			for _, part := range root.Defs {
				v.walk(t, name, part, false)
			}
			v.walk(t, name, data, false)
		default:
			v.walk(t, name, data, false)
		}
		if !strings.Contains(page, "](../schemas/"+name+".schema.json)") {
			t.Errorf("docs/json.md does not link to the schema of %s", name)
		}
	}
	want := v.rows(t)
	got := regexp.MustCompile("(?m)^\\| `[a-zA-Z]+` \\| [a-z]+ \\|").FindAllString(page, -1)
	if !slices.Equal(got, want) {
		t.Errorf("docs/json.md explains, in this order:\n%s\nthe schemas have:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestHeadersInJSON checks that each document but a statement begins with apiVersion and a kind
// of its own, which docs/json.md lists.
func TestHeadersInJSON(t *testing.T) {
	page := readPage(t, "docs/json.md")
	kinds := make(map[string]string)
	for _, name := range schemaFiles(t) {
		if name == "statement" || isInLayout(name) {
			continue
		}
		data, _ := schemas.Of(name)
		var s struct {
			ID         string `json:"$id"`
			Required   []string
			Properties map[string]struct{ Const string }
		}
		if err := json.Unmarshal(data, &s); err != nil {
			t.Fatal(err)
		}
		kind := s.Properties["kind"].Const
		if len(s.Required) < 2 || s.Required[0] != "apiVersion" || s.Required[1] != "kind" || s.Properties["apiVersion"].Const != config.APIVersion {
			t.Errorf("%s does not require apiVersion and kind first", name)
		}
		if kinds[kind] != "" || kind == "" || !strings.Contains(page, "| `"+kind+"` |") {
			t.Errorf("the kind of %s is %q, that of another is %q", name, kind, kinds[kind])
		}
		if !strings.HasSuffix(s.ID, "/schemas/"+name+".schema.json") {
			t.Errorf("%s has the id %s", name, s.ID)
		}
		kinds[kind] = name
	}
	if _, ok := kinds["Report"]; !ok || len(kinds) < 10 {
		t.Errorf("the kinds are %v", slices.Sorted(maps.Keys(kinds)))
	}
}

// TestSchemasAreChecked checks that stories validate the output of each command by its schema.
func TestSchemasAreChecked(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	checked := make(map[string]bool)
	for _, path := range scripts {
		for line := range strings.Lines(readPage(t, path)) {
			switch words := strings.Fields(line); {
			case len(words) > 1 && words[0] == "document":
				checked[words[1]] = true
			case len(words) > 1 && words[0] == "report":
				checked["report"] = true
			case len(words) > 0 && words[0] == "events":
				checked["event"] = true
			}
		}
	}
	for _, name := range schemaFiles(t) {
		if !checked[name] {
			t.Errorf("no script checks an output by the schema of %s", name)
		}
	}
}
