package store

import "path/filepath"

// Free returns how many bytes the file system that path is on, or would be made
// on, has left for this user; ok is false where nobody can tell.
func Free(path string) (bytes int64, ok bool) {
	path = followLinks(filepath.Clean(path))
	for !exists(path) && path != filepath.Dir(path) {
		path = filepath.Dir(path)
	}
	return freeSpace(path)
}
