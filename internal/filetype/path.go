package filetype

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kind is what a path that was typed without a flag stands for.
type Kind int

const (
	List   Kind = iota // any other text: references, one a line
	Spec               // YAML
	Layout             // an archive or a directory
)

// extensions are those of files that this program reads and writes. No registry
// has such a name.
var extensions = []string{".tgz", ".tar", ".gz", ".zst", ".yaml", ".yml", ".json", ".txt"}

// LooksLikePath tells a path from a reference and a registry: it exists, or could
// be nothing else.
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

// Guess goes by the name, and by what is there. A pipe is not read: it could be
// read only once.
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

func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// IsText tells a spec or a lock from an archive, which has a zero byte within
// the first block, a gzip or zstd header at the latest.
func IsText(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 512))
	return err == nil && len(head) > 0 && bytes.IndexByte(head, 0) < 0
}
