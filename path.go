package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
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

// kindOfPath looks at the file, or at its name where there is none.
func kindOfPath(path string) pathKind {
	info, err := os.Stat(path)
	switch extension := strings.ToLower(filepath.Ext(path)); {
	case extension == ".yaml" || extension == ".yml":
		return pathOfSpec
	case slices.Contains([]string{".tgz", ".tar", ".gz", ".zst"}, extension):
		return pathOfLayout
	case err == nil && info.Mode().IsRegular() && isText(path), err != nil && (extension == ".txt" || extension == ".json"):
		return pathOfList
	}
	return pathOfLayout
}

// pathHint is for a path where a reference or a registry belongs.
func (h hints) pathHint(path string) string {
	info, err := os.Stat(path)
	switch {
	case !looksLikePath(path) || err == nil && info.IsDir() && !strings.Contains(path, "/"):
		return "" // a folder that is called like a repository
	case err != nil:
		return "there is no such file; -f names a mirror spec, --input an archive or a directory"
	}
	switch kindOfPath(path) {
	case pathOfSpec:
		return didYouMean("-f " + path)
	case pathOfList:
		return fmt.Sprintf(`to read references from it, write "- <%s" instead; a mirror spec is named by -f`, path)
	}
	if h.input {
		return didYouMean("--input " + path)
	}
	return fmt.Sprintf("%s is an archive or a directory: restore, list and verify read it with --input", path)
}

// notSpecHint is for a file that -f names and that is no spec.
func notSpecHint(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil || info.Mode().IsRegular() && kindOfPath(path) == pathOfSpec:
		return ""
	case info.IsDir() || !isText(path):
		return fmt.Sprintf("%s is not a mirror spec; an archive or a directory is named with --input", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if all, err := config.ReadList(path, f); err != nil || len(all) == 0 {
		return ""
	}
	return fmt.Sprintf(`it is a list of references: write "- <%s" instead, or "- list: %s" under "sources:" in a spec`, path, path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// noFileError says that there is no file of a name that can only be that of one.
type noFileError struct{ path string }

func (e *noFileError) Error() string { return e.path + ": no such file or directory" }
func (e *noFileError) Unwrap() error { return fs.ErrNotExist }
