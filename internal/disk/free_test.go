package disk

import (
	"path/filepath"
	"runtime"
	"testing"
)

// TestFreeBeforeThereIsAnything: a path that does not exist yet is on the file system of
// its parent.
func TestFreeBeforeThereIsAnything(t *testing.T) {
	bytes, ok := Free(filepath.Join(t.TempDir(), "not", "there", "yet.tgz"))
	known := runtime.GOOS == "linux" || runtime.GOOS == "darwin" || runtime.GOOS == "windows"
	if ok != known || known && bytes <= 0 {
		t.Errorf("%d bytes, known: %v", bytes, ok)
	}
}
