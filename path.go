package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pathKind is what a path that was typed without a flag stands for.
type pathKind int

const (
	pathOfList   pathKind = iota // any other text: references, one a line
	pathOfSpec                   // YAML
	pathOfLayout                 // an archive or a directory
)

// extensions are those of files that this program reads and writes. No registry
// has such a name.
var extensions = []string{".tgz", ".tar", ".gz", ".zst", ".yaml", ".yml", ".json", ".txt"}

// looksLikePath tells a path from a reference and a registry: it exists, or could
// be nothing else.
func looksLikePath(s string) bool {
	if s == "" {
		return false
	}
	if _, err := os.Stat(s); err == nil {
		return true
	}
	for _, prefix := range []string{"./", "../", "/", "~/"} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	first, _, deeper := strings.Cut(s, "/")
	couldBeRegistry := deeper && strings.ContainsAny(first, ".:")
	return s == "." || s == ".." || !couldBeRegistry && slices.Contains(extensions, strings.ToLower(filepath.Ext(s)))
}

// kindOfPath goes by the name, and by what is there. A pipe is not read: it could be
// read only once.
func kindOfPath(path string) pathKind {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml":
		return pathOfSpec
	case ".tgz", ".tar", ".gz", ".zst":
		return pathOfLayout
	}
	info, err := os.Stat(path)
	isText := err == nil && !info.IsDir() && (!info.Mode().IsRegular() || isText(path))
	if isText || err != nil && filepath.Ext(path) != "" {
		return pathOfList
	}
	return pathOfLayout
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// noFileError says that there is no file of a name that can only be that of one.
type noFileError struct{ path string }

func (e *noFileError) Error() string { return e.path + ": no such file or directory" }
func (e *noFileError) Unwrap() error { return fs.ErrNotExist }
