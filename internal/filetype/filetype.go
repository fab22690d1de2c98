// Package filetype recognizes the files that a user names: specs, locks, reports, lists of
// references and OCI layouts. It goes by names and first bytes, and accepts files whose
// content is invalid, so that an error can say what they were meant to be.
package filetype

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kind is the kind of a file.
type Kind int

// The kinds of files.
const (
	Unknown Kind = iota
	Spec         // a mirror spec, in YAML or JSON
	Lock         // a lock of a spec
	Report       // a report of a run
	List         // a text with a reference in each line
	Layout       // an OCI layout: a directory or an archive
)

// String returns the kind with its article: "a lock".
func (k Kind) String() string {
	return [...]string{"an unknown file", "a mirror spec", "a lock", "a report", "a list of references", "an OCI layout"}[k]
}

// extensions lists those of files that this program reads and writes. No registry has a
// name with one of them.
var extensions = []string{".tgz", ".tar", ".gz", ".zst", ".yaml", ".yml", ".json", ".txt"}

// LooksLikePath reports whether an argument is a path and not a reference or a registry: it
// exists, or it has a form that only paths have.
func LooksLikePath(s string) bool {
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

// Guess returns Spec, Layout or List for a path, by its extension and by the file itself. It
// does not read a pipe, which can be read only once.
func Guess(path string) Kind {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml":
		return Spec
	case ".tgz", ".tar", ".gz", ".zst":
		return Layout
	}
	info, err := os.Stat(path)
	isText := err == nil && !info.IsDir() && (!info.Mode().IsRegular() || IsText(path))
	if isText || err != nil && filepath.Ext(path) != "" {
		return List
	}
	return Layout
}

// Exists reports whether there is a file or a directory at path.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// IsRegular reports whether there is a file at path that is not a directory, a device or a pipe.
func IsRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// IsText reports whether a file is text. An archive has a zero byte in its first block: in
// the header of gzip or zstd, or in that of tar.
func IsText(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 512))
	return err == nil && len(head) > 0 && bytes.IndexByte(head, 0) < 0
}
