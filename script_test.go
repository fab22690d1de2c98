package main

import (
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/stories"
)

// TestMain runs the tests with the program as a command.
func TestMain(m *testing.M) {
	stories.Main(m, "oras-mirror", ".", main)
}

// TestScripts runs the command line stories, one a file. Registries run in this process, the
// program runs in its own.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	stories.Run(t, files)
}
