package disk

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestFollowLinks: ".." in a link is the parent of the folder that holds the link, also where
// another link leads to that folder.
func TestFollowLinks(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(
		os.MkdirAll(filepath.Join("real", "sub"), 0o755),
		os.Symlink(filepath.Join("real", "sub"), "folder"),
		os.Symlink(filepath.Join("..", "up"), filepath.Join("real", "sub", "up")),
		os.Symlink("beside", filepath.Join("real", "sub", "chain")),
		os.Symlink(filepath.FromSlash("../../folder/../far"), filepath.Join("real", "sub", "beside")),
		os.Symlink(filepath.Join("absent", "x"), "nowhere"),
	); err != nil {
		t.Skip(err)
	}
	for path, want := range map[string]string{
		"plain":                          "plain",
		filepath.Join("folder", "up"):    filepath.Join("real", "up"),
		filepath.Join("folder", "none"):  filepath.Join("folder", "none"),
		filepath.Join("folder", "chain"): filepath.Join("real", "far"),
		"nowhere":                        filepath.Join("absent", "x"),
	} {
		if got := FollowLinks(path); got != want {
			t.Errorf("%s leads to %s, want %s", path, got, want)
		}
	}
}
