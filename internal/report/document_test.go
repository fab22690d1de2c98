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
	text, _ := schemas.Of("report")
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	sameFields(t, "report", flat(reflect.TypeFor[Document]()), schema)
	sameFields(t, "part", reflect.TypeFor[Part](), *schema.Properties["parts"].Items)
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
	const before = `{"apiVersion": "oras-mirror/v1alpha1", "kind": "Report"}`
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := New(path, "backup", Options{Hide: strings.TrimSpace})
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(path); string(data) != before {
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
	first, absent := filepath.Join(dir, "first.json"), filepath.Join(dir, "absent.json")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Symlink("report.json", link), os.Symlink("absent.json", first)); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{link, first, os.DevNull} {
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
	for _, path := range []string{path, absent} {
		if data, err := os.ReadFile(path); err != nil || stories.ValidateReport(data) != nil {
			t.Errorf("the link leads to %s, %v", data, err)
		}
	}
}

// TestReportOfAnEarlierVersion reads the names that reports had before.
func TestReportOfAnEarlierVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	old := `{"apiVersion": "oras-mirror/v1alpha1", "kind": "Report", "command": "restore",
  "version": {"orasMirror": "v0.9.0", "go": "go1.26", "orasGo": "v2.6.0"},
  "planned": true, "parts": [{"path": "x.001.tgz", "bytes": 9}],
  "artifacts": [
    {"reference": "a.io/b:c", "status": "copied", "bytes": 5, "referrers": 2, "referrersExpected": 2},
    {"reference": "a.io/b:d", "target": "t.io/b:d", "status": "failed", "digest": "sha256:11", "pinned": true,
     "overwritten": "sha256:22", "bytes": 7, "referrers": 1, "referrersExpected": 3, "operation": "push", "error": "403"}],
  "totals": {"artifacts": 2, "copied": 1, "failed": 1, "referrers": 3, "thereBytes": 1, "leftBytes": 4}}`
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Read(path, "restore")
	if err != nil {
		t.Fatal(err)
	}
	want := Artifact{Reference: "a.io/b:d", Target: "t.io/b:d", Status: "failed", Digest: "sha256:11", Pinned: true,
		Previous: "sha256:22", Size: 7, Referrers: 1, Expected: 3, Operation: "push", Error: "403"}
	if failed := d.Failed(); len(failed) != 1 || !reflect.DeepEqual(failed[0], want) {
		t.Errorf("%+v failed, want %+v", failed, want)
	}
	if d.Version != "v0.9.0" {
		t.Errorf("version %q", d.Version)
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
