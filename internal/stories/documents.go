package stories

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/oras-mirror/oras-mirror/schemas"
)

// CommandLines returns the arguments of each oras-mirror command in a line of shell.
func CommandLines(line string) [][]string {
	line, _, _ = strings.Cut(line, " #")
	var all [][]string
	for part := range strings.SplitSeq(line, "|") {
		_, args, ok := strings.Cut(" "+part, " oras-mirror ")
		if ok {
			args, _, _ = strings.Cut(args, " >")
			args, _, _ = strings.Cut(args, " & ")
			all = append(all, strings.Fields(strings.ReplaceAll(args, "'", "")))
		}
	}
	return all
}

// compile compiles the schema with a name, such as "plan".
func compile(name string) (*jsonschema.Schema, error) {
	text, ok := schemas.Of(name)
	if !ok {
		return nil, errors.New("no schema of " + name)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, schema); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// ValidateDocument checks a document against the schema with a name.
func ValidateDocument(name string, data []byte) error {
	schema, err := compile(name)
	if err != nil {
		return err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return schema.Validate(document)
}

// checkDocument NAME [FILE] checks standard output of the last command, or a file, against the
// schema with a name.
func checkDocument(ts *testscript.TestScript, _ bool, args []string) {
	file := "stdout"
	if len(args) > 1 {
		file = args[1]
	}
	ts.Check(ValidateDocument(args[0], []byte(ts.ReadFile(file))))
}

// ParseEvents parses the events of a run, one a line. It checks each against the schema, and
// their order against docs/events.md.
func ParseEvents(text string) ([]eventLine, error) {
	schema, err := compile("event")
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
				return nil, errors.New(name + " has two events")
			}
			seen[name] = true
		}
		all = append(all, e)
	}
	last := len(all) - 1
	for i, e := range all {
		if (e.Event == "start") != (i == 0) || (e.Event == "end") != (i == last) {
			return nil, errors.New("start must be the first event and end the last, once each")
		}
	}
	if last < 1 {
		return nil, errors.New("no events")
	}
	return all, nil
}

// checkEvents [KIND|STATUS|exit=N...] checks the events on standard output of the last command:
// the number of a kind or of artifacts with a status, and the exit code.
func checkEvents(ts *testscript.TestScript, _ bool, args []string) {
	all, err := ParseEvents(ts.ReadFile("stdout"))
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

// WithoutRedirections removes redirections from the arguments of a command.
func WithoutRedirections(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, ">") })
}

// checkReport FILE checks a report against its schema, and its totals against its artifacts.
func checkReport(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	ts.Check(ValidateReport(data))
	var d struct {
		Artifacts []struct{ Status string }
		Totals    totals
	}
	ts.Check(json.Unmarshal(data, &d))
	counts := make(map[string]int)
	for _, a := range d.Artifacts {
		counts[a.Status]++
	}
	if t := d.Totals; t.Artifacts != len(d.Artifacts) || t.Copied != counts["copied"] ||
		t.Unchanged != counts["unchanged"] || t.Failed != counts["failed"] {
		ts.Fatalf("totals %+v of artifacts %v", t, counts)
	}
}

// ValidateReport checks a document against the schema of reports.
func ValidateReport(data []byte) error { return ValidateDocument("report", data) }

// eventLine has the fields of events that tests check.
type eventLine struct {
	Event, Reference, Target, Status string
	ExitCode                         int
	Totals                           totals
}

// totals has the fields of the totals of a report or of the last event.
type totals struct {
	Artifacts, Copied, Unchanged, Overwritten, Failed int
	ReferrersCopied, ReferrersExpected                int
	MovedBytes, SharedBytes, ExistingBytes            int64
}
