package config

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Globs are patterns of files. In a spec they are a string or a list.
type Globs []string

// UnmarshalText takes a string as the only pattern.
func (g *Globs) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("must not be empty")
	}
	*g = Globs{string(text)}
	return nil
}

// checkFileGlobs reports patterns that are invalid whatever the files and the environment.
func checkFileGlobs(o strictyaml.Object, key string, globs Globs) {
	o.NotEmpty(key)
	for i, glob := range globs {
		at := globAt(key, i, globs)
		checkVariables(o, at, glob)
		if !doublestar.ValidatePattern(filepath.ToSlash(glob)) {
			o.Fault(at, fmt.Sprintf("invalid glob %q", glob))
		}
	}
}

// globAt returns the path of a pattern: that of the key if it is the only one.
func globAt(key string, i int, globs Globs) string {
	if len(globs) == 1 {
		return key
	}
	return strictyaml.Element(key, i)
}

// manifestFiles matches the files that count in a folder.
const manifestFiles = "**/*.{yaml,yml,json}"

// matchFiles returns the files that a pattern matches, in the order of their names. They are
// relative to folder, unless the pattern is absolute. ** does not follow symbolic links to
// folders, which can lead in a circle.
func matchFiles(folder, pattern string) ([]string, error) {
	if !strings.ContainsAny(pattern, `*?[{\`) {
		return filesAt(folder, pattern)
	}
	base, rest := doublestar.SplitPattern(filepath.ToSlash(pattern))
	return globIn(folder, base, rest)
}

// filesAt returns a path if it is not a folder, else the manifests in it.
func filesAt(folder, name string) ([]string, error) {
	info, err := os.Stat(beside(folder, name))
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{filepath.ToSlash(name)}, nil
	}
	return globIn(folder, filepath.ToSlash(name), manifestFiles)
}

// globIn returns the files below base that a pattern matches.
func globIn(folder, base, pattern string) ([]string, error) {
	root := beside(folder, base)
	found, err := doublestar.Glob(os.DirFS(root), pattern, doublestar.WithFailOnIOErrors(), doublestar.WithNoFollow(), doublestar.WithNoHidden())
	if err != nil {
		return nil, err
	}
	slices.Sort(found)
	var files []string
	for _, name := range slices.Compact(found) {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil || info.Mode().IsRegular() { // a broken link fails when it is read
			files = append(files, path.Join(base, name))
		}
	}
	return files, nil
}

// beside returns a path that is relative to folder.
func beside(folder, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(folder, name)
}
