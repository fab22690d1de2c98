package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/oras-mirror/oras-mirror/internal/redact"
	"github.com/oras-mirror/oras-mirror/schemas"
)

// validReport holds a document against the schema of reports.
func validReport(data []byte) error {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.Report))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.schema.json", schema); err != nil {
		return err
	}
	compiled, err := c.Compile("report.schema.json")
	if err != nil {
		return err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return compiled.Validate(document)
}

// schemaObject is what the test reads of a schema.
type schemaObject struct {
	Properties map[string]schemaObject
	Required   []string
	Items      *schemaObject
}

// TestReportSchemaIsTheStruct keeps the two from growing apart.
func TestReportSchemaIsTheStruct(t *testing.T) {
	var schema schemaObject
	if err := json.Unmarshal(schemas.Report, &schema); err != nil {
		t.Fatal(err)
	}
	sameFields(t, "report", reflect.TypeFor[reportDocument](), schema)
	sameFields(t, "version", reflect.TypeFor[reportVersion](), schema.Properties["version"])
	sameFields(t, "artifact", reflect.TypeFor[reportArtifact](), *schema.Properties["artifacts"].Items)
	sameFields(t, "totals", reflect.TypeFor[reportTotals](), schema.Properties["totals"])
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

// TestReportHasNoSecrets lets a registry say in its errors all that it was sent.
func TestReportHasNoSecrets(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HOME", ".")
	t.Setenv("DOCKER_CONFIG", "nowhere")
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		username, password, ok := req.BasicAuth()
		if !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="echo"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		message := strings.Join([]string{req.Header.Get("Authorization"), username, password, req.Header.Get("X-Secret"),
			"https://" + username + ":" + password + "@" + req.Host}, " ")
		w.WriteHeader(http.StatusForbidden)
		json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": "DENIED", "message": message}}})
	}))
	defer echo.Close()
	host := strings.TrimPrefix(echo.URL, "http://")
	code, _, stderr := try(t, "geheimes Wort\n", "backup", "-d", "-o", "dir/", "-u", "me", "--password-stdin",
		"-H", "X-Secret: another one", "--report", "report.json", host+"/app:v1")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	data, err := os.ReadFile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := validReport(data); err != nil {
		t.Error(err)
	}
	for _, text := range []string{string(data), stderr} {
		if !strings.Contains(text, redact.Mask) || !strings.Contains(text, "403") {
			t.Errorf("the registry was not quoted: %s", text)
		}
		for _, secret := range []string{"geheimes", "another one", "bWU6Z2VoZWltZXMgV29ydA"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q stands in %s", secret, text)
			}
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
	r, err := newReporter(path, "backup", reportOptions{hide: strings.TrimSpace})
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(path); string(data) != "before" {
		t.Errorf("%q before the run has ended", data)
	}
	if err := r.write(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := validReport(data); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
}

// TestReportThroughLinksAndDevices: what is no file is written to and stays what it is.
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
		r, err := newReporter(to, "backup", reportOptions{hide: strings.TrimSpace})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.write(t.Context(), nil, nil); err != nil {
			t.Error(err)
		}
		if after, err := os.Lstat(to); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s is something else now: %v", to, err)
		}
	}
	if data, err := os.ReadFile(path); err != nil || validReport(data) != nil {
		t.Errorf("the link leads to %s, %v", data, err)
	}
}

// FuzzReport: whatever is read as a report can be written and read again.
func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"apiVersion": "oras-mirror/v1alpha1", "kind": "Report", "command": "backup", "planned": true,
		"artifacts": [{"reference": "a.io/b:c", "status": "failed", "digest": "sha256:11", "pinned": true}]}`))
	f.Add([]byte(`{"kind": 1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseReport(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Skip(err) // a year that JSON has no way to write
		}
		e, err := parseReport(again)
		if err != nil {
			t.Fatal(err)
		}
		if third, err := json.Marshal(e); err != nil || !bytes.Equal(again, third) {
			t.Errorf("%s becomes %s, %v", again, third, err)
		}
	})
}
