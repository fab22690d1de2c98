package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/stories"
	"github.com/oras-mirror/oras-mirror/schemas"
)

// schemaObject has the parts of a schema that the test checks.
type schemaObject struct {
	Properties map[string]schemaObject
	Required   []string
	Items      *schemaObject
}

// TestReportSchemaIsTheStruct checks that schema and struct have the same fields.
func TestReportSchemaIsTheStruct(t *testing.T) {
	var schema schemaObject
	if err := json.Unmarshal(schemas.Report, &schema); err != nil {
		t.Fatal(err)
	}
	sameFields(t, "report", reflect.TypeFor[Document](), schema)
	sameFields(t, "version", reflect.TypeFor[Version](), schema.Properties["version"])
	sameFields(t, "artifact", reflect.TypeFor[Artifact](), *schema.Properties["artifacts"].Items)
	sameFields(t, "totals", reflect.TypeFor[Totals](), schema.Properties["totals"])
}

func sameFields(t *testing.T, name string, fields reflect.Type, schema schemaObject) {
	t.Helper()
	written := make(map[string]bool)
	for i := range fields.NumField() {
		key, option, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		if _, ok := schema.Properties[key]; !ok {
			t.Errorf("%s: the schema has no %s", name, key)
		}
		if slices.Contains(schema.Required, key) != (option == "") {
			t.Errorf("%s: %s is required in one of schema and struct", name, key)
		}
		written[key] = true
	}
	for key := range schema.Properties {
		if !written[key] {
			t.Errorf("%s: the struct has no %s", name, key)
		}
	}
}

// TestReportReplacesAtOnce leaves nothing beside a report, and what was there
// where it cannot be written.
func TestReportReplacesAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.json")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := New(path, "backup", Options{Hide: strings.TrimSpace})
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(path); string(data) != "before" {
		t.Errorf("%q before the run has ended", data)
	}
	if err := r.Write(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := stories.ValidateReport(data); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
}

// TestReportThroughLinksAndDevices checks that links and devices stay and are written to.
func TestReportThroughLinksAndDevices(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links and devices are others there")
	}
	dir := t.TempDir()
	link, path := filepath.Join(dir, "link.json"), filepath.Join(dir, "report.json")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Symlink("report.json", link)); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{link, os.DevNull} {
		before, err := os.Lstat(to)
		if err != nil {
			t.Fatal(err)
		}
		r, err := New(to, "backup", Options{Hide: strings.TrimSpace})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Write(t.Context(), nil, nil); err != nil {
			t.Error(err)
		}
		if after, err := os.Lstat(to); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s is something else now: %v", to, err)
		}
	}
	if data, err := os.ReadFile(path); err != nil || stories.ValidateReport(data) != nil {
		t.Errorf("the link leads to %s, %v", data, err)
	}
}

// FuzzReport: whatever is read as a report can be written and read again.
func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"apiVersion": "oras-mirror/v1alpha1", "kind": "Report", "command": "backup", "planned": true,
		"artifacts": [{"reference": "a.io/b:c", "status": "failed", "digest": "sha256:11", "pinned": true}]}`))
	f.Add([]byte(`{"kind": 1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parse(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Skip(err) // a year that JSON has no way to write
		}
		e, err := parse(again)
		if err != nil {
			t.Fatal(err)
		}
		if third, err := json.Marshal(e); err != nil || !bytes.Equal(again, third) {
			t.Errorf("%s becomes %s, %v", again, third, err)
		}
	})
}
