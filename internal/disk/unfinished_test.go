package disk

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CreateUnfinished removes what killed processes left of the same file, and nothing else.
func TestAbandonedFilesAreRemoved(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "report.json")
	living, err := CreateUnfinished(path)
	if err != nil {
		t.Fatal(err)
	}
	abandoned := []string{path + ".17.partial", path + ".4294967295.partial"}
	kept := []string{path, path + ".partial", path + "..partial", path + ".x.partial", path + ".17", path + ".17.partial.old", filepath.Join(folder, "other.json.17.partial"),
		living.File.Name()}
	hourAgo := time.Now().Add(-2 * time.Hour)
	for _, file := range append(abandoned, kept...) {
		if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), os.Chtimes(file, hourAgo, hourAgo)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(path, path+".18.partial"); err == nil { // where links are allowed
		kept = append(kept, path+".18.partial")
	}
	next, err := CreateUnfinished(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range abandoned {
		if _, err := os.Lstat(file); err == nil {
			t.Errorf("%s is still there", file)
		}
	}
	for _, file := range append(kept, next.File.Name()) {
		if _, err := os.Lstat(file); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(living.Release(), next.Release()); err != nil {
		t.Error(err)
	}
}
