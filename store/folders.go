package store

import (
	"errors"
	"os"
	"path/filepath"
)

// makeFolders creates path and returns the folders that were missing, innermost first.
func makeFolders(path string) (made []string, err error) {
	for p := path; !exists(p); p = filepath.Dir(p) {
		made = append(made, p)
	}
	return made, os.MkdirAll(path, 0o755)
}

// removeFolders removes folders until one is not empty.
func removeFolders(innermostFirst []string) {
	for _, folder := range innermostFirst {
		if os.Remove(folder) != nil {
			return
		}
	}
}

// exists reports whether a path exists, even if it is a dangling link or cannot be
// accessed.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, os.ErrNotExist)
}
