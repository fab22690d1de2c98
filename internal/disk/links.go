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
			folder, _ := filepath.Split(path)
			to = folder + to
		}
		path = inRealFolder(to)
	}
	return path
}

// inRealFolder follows the links in the folder of a path, since ".." after such a link is the
// parent of the folder that it leads to.
func inRealFolder(path string) string {
	folder, name := filepath.Split(path)
	real, err := filepath.EvalSymlinks(folder)
	if folder == "" || err != nil {
		return filepath.Clean(path)
	}
	return filepath.Join(real, name)
}
