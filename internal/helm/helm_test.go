package helm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fake puts a program named helm on PATH that runs a shell script.
func fake(t *testing.T, script string) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "helm"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestOutputIsBounded: a chart may render to more than fits in memory.
func TestOutputIsBounded(t *testing.T) {
	fake(t, fmt.Sprintf("head -c %d /dev/zero", maxOutput+1))
	got, err := Template(t.Context(), "app", strings.NewReader("a chart"), nil)
	if err == nil || !strings.Contains(err.Error(), "more than 64 MiB") {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}
