package store

import "path/filepath"

// Free returns the free space in bytes for this user on the file system of path, which
// need not exist yet; ok is false where it is unknown.
func Free(path string) (bytes int64, ok bool) {
	path = followLinks(filepath.Clean(path))
	for !exists(path) && path != filepath.Dir(path) {
		path = filepath.Dir(path)
	}
	return freeSpace(path)
}
