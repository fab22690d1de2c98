package cli

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/stories"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// TestNothingInABundleSteersTheTerminal puts control characters of every kind into the names
// in a bundle, and opens it with every command.
func TestNothingInABundleSteersTheTerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	var entries []map[string]any
	for _, text := range slices.Sorted(maps.Values(stories.Invisible)) {
		name := "h.example/app:v" + text
		entries = append(entries, map[string]any{"mediaType": "application/vnd.oci.image.manifest.v1+json" + text, "size": 2, "digest": sum,
			"platform":    map[string]string{"os": "linux" + text, "architecture": "amd64"},
			"annotations": map[string]string{"org.opencontainers.image.ref.name": name}})
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": entries})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{"l/oci-layout": `{"imageLayoutVersion": "1.0.0"}`, "l/index.json": string(index),
		"mirror.yaml": "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: [{layout: l}, \"h.example/app:v\\u202e1\"]\n"} {
		if err := os.MkdirAll("l", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"list --input l", "list --input l --format json", "verify --input l", "diff l testdata", "diff l l",
		"restore --input l --dry-run localhost:1", "restore --input l localhost:1 --report report.json", "plan --input l localhost:1",
		"backup -o x.tgz -f mirror.yaml", "validate -f mirror.yaml", "init --input l", "plan -o x/ -f mirror.yaml", "backup -o x.tgz h.example/\u202eapp"} {
		_, stdout, stderr := try(t, "", strings.Split(command, " ")...)
		report, _ := os.ReadFile("report.json")
		for where, line := range map[string]string{"standard output": stdout, "standard error": stderr, "the report": string(report)} {
			if shown := strings.ReplaceAll(line, "\n", " "); text.Printable(shown) != shown {
				t.Errorf("%s: %s has %q", command, where, line)
			}
		}
		if stdout+stderr == "" {
			t.Errorf("%s says nothing", command)
		}
	}
}
