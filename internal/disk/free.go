// Package disk asks the system about files: free space, locks, links, files that only this program
// writes to, temporary files that leave nothing behind, and early writes to the disk.
package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Free returns the free space in bytes for this user on the file system of path, which
// need not exist yet; ok is false where it is unknown.
func Free(path string) (bytes int64, ok bool) {
	path = FollowLinks(filepath.Clean(path))
	for !exists(path) && path != filepath.Dir(path) {
		path = filepath.Dir(path)
	}
	return freeSpace(path)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
