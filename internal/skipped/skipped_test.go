package skipped

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestReportOfANestedPackage writes the report of a package whose name has a slash.
func TestReportOfANestedPackage(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("SKIPPED", folder)
	if err := Report(io.Discard, "internal/cli"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "internal_cli"))
	if want := "internal/cli: 0 tests skipped for want of a program\n"; err != nil || string(text) != want {
		t.Errorf("got %q, %v", text, err)
	}
}
