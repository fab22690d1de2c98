package disk

import (
	"os"
	"path/filepath"
)

// FollowLinks returns the path that a symbolic link leads to, even if nothing is there.
func FollowLinks(path string) string {
	for range 40 { // as many as Linux follows
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return path
}
