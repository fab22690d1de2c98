package main

import (
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/stories"
)

func TestMain(m *testing.M) {
	stories.Main(m, "oras-mirror", ".", main)
}

// TestScripts runs what users type, one story a file. Registries run in this
// process, the program in its own.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	stories.Run(t, files)
}
