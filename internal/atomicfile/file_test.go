package atomicfile

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// only fails if a folder has another number of files.
func only(t *testing.T, folder string, n int) {
	t.Helper()
	found, err := os.ReadDir(folder)
	if err != nil || len(found) != n {
		t.Errorf("%d files, want %d: %v, %v", len(found), n, found, err)
	}
}

func TestCommitReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	for _, text := range []string{"the first", "the second"} {
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil || content(t, path) != text {
			t.Errorf("after Commit and Close: %q, %v", content(t, path), err)
		}
	}
	only(t, filepath.Dir(path), 1)
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(path, []byte("the old one"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("half of")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	only(t, filepath.Dir(path), 1)
	if got := content(t, path); got != "the old one" {
		t.Errorf("it is %q now", got)
	}
}

// TestCommitThatFails: where path is a folder nothing can be renamed to it, and nothing
// is left.
func TestCommitThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err == nil {
		t.Error("a folder was replaced")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	only(t, filepath.Dir(path), 1)
}

func TestCreateWithoutFolder(t *testing.T) {
	if f, err := Create(filepath.Join(t.TempDir(), "absent", "report.json")); err == nil {
		t.Errorf("got %v", f)
	}
}

func TestSync(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, filepath.Dir(path)} {
		if err := Sync(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := Sync(path + ".absent"); err == nil {
		t.Error("a file that is not there was synced")
	}
}
