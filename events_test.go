package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/schemas"
)

// eventSchema compiles the schema of events.
func eventSchema() (*jsonschema.Schema, error) {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.Event))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("event.schema.json", schema); err != nil {
		return nil, err
	}
	return c.Compile("event.schema.json")
}

// eventLine is what the tests read of an event.
type eventLine struct {
	Event, Reference, Target, Status string
	ExitCode                         int
	Totals                           reportTotals
}

// parseEvents holds each line against the schema, and all of them against what
// docs/events.md promises.
func parseEvents(text string) ([]eventLine, error) {
	schema, err := eventSchema()
	if err != nil {
		return nil, err
	}
	var all []eventLine
	seen := make(map[string]bool)
	for line := range strings.Lines(text) {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err == nil {
			err = schema.Validate(document)
		}
		var e eventLine
		if err = errors.Join(err, json.Unmarshal([]byte(line), &e)); err != nil {
			return nil, errors.Join(errors.New(line), err)
		}
		if name := e.Reference + " -> " + e.Target; e.Event == "artifact" {
			if seen[name] {
				return nil, errors.New(name + " is told twice")
			}
			seen[name] = true
		}
		all = append(all, e)
	}
	last := len(all) - 1
	for i, e := range all {
		if (e.Event == "start") != (i == 0) || (e.Event == "end") != (i == last) {
			return nil, errors.New("the first event is not start alone, or the last not end alone")
		}
	}
	if last < 1 {
		return nil, errors.New("no events")
	}
	return all, nil
}

// events [KIND|STATUS|exit=N...] checks the events on standard output of the last
// command: how many there are of a kind, of artifacts with a status.
func eventsOf(ts *testscript.TestScript, _ bool, args []string) {
	all, err := parseEvents(ts.ReadFile("stdout"))
	ts.Check(err)
	counts := make(map[string]int)
	for _, e := range all {
		counts[e.Event]++
		counts[e.Status]++
	}
	for _, arg := range args {
		name, want, _ := strings.Cut(arg, "=")
		got, _ := json.Marshal(counts[name])
		if name == "exit" {
			got, _ = json.Marshal(all[len(all)-1].ExitCode)
		}
		if string(got) != want {
			ts.Fatalf("%s %s, want %s\n%s", got, name, want, ts.ReadFile("stdout"))
		}
	}
}

// TestEventsOfTheDocumentation holds the examples in docs/events.md against the
// schema.
func TestEventsOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```json\n")
	example, _, _ = strings.Cut(example, "```")
	all, err := parseEvents(example)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range all {
		kinds = append(kinds, e.Event)
		if !strings.Contains(string(text), "| `"+e.Event+"` |") {
			t.Errorf("%s is not explained", e.Event)
		}
	}
	if got := strings.Join(slices.Compact(kinds), " "); got != "start progress artifact notice error end" {
		t.Errorf("the examples are %s", got)
	}
	for _, line := range blocks(t, "docs/events.md", "sh") {
		for command := range strings.Lines(line) {
			for _, args := range commandLines(command) {
				parses(t, withoutRedirections(args))
			}
		}
	}
}

func withoutRedirections(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, ">") })
}

// TestEventSchemaIsTheStructs keeps the two from growing apart.
func TestEventSchemaIsTheStructs(t *testing.T) {
	var schema struct {
		Defs map[string]schemaObject `json:"$defs"`
	}
	if err := json.Unmarshal(schemas.Event, &schema); err != nil {
		t.Fatal(err)
	}
	for name, event := range map[string]reflect.Type{
		"start": reflect.TypeFor[startEvent](), "progress": reflect.TypeFor[progressEvent](), "artifact": reflect.TypeFor[artifactEvent](),
		"notice": reflect.TypeFor[noticeEvent](), "error": reflect.TypeFor[errorEvent](), "end": reflect.TypeFor[endEvent](),
	} {
		sameFields(t, name, flat(event), schema.Defs[name])
	}
	sameFields(t, "totals", reflect.TypeFor[reportTotals](), schema.Defs["end"].Properties["totals"])
}

// flat is a struct with the fields of those that are embedded, as JSON has them.
func flat(event reflect.Type) reflect.Type {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(event) {
		if f.Anonymous {
			continue
		}
		f.Index, f.Offset = nil, 0
		fields = append(fields, f)
	}
	return reflect.StructOf(fields)
}

// fullWriter is a disk that has no room left.
type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestEventsThatCannotBeWritten(t *testing.T) {
	var errs bytes.Buffer
	u := newUI(Streams{Stdout: fullWriter{}, Stderr: &errs})
	code := run(t.Context(), []string{"restore", "--format", "json", "--input", "testdata/layout", "--dry-run", testregistry.New(t, testregistry.Options{}).Host}, u)
	if code != 1 || !strings.Contains(errs.String(), "write the events: no space left") {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
}
