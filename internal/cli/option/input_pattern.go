package option

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/store"
)

// ExpandInputs replaces each pattern by the paths that match it, sorted. A path that exists is
// no pattern, whatever its characters.
func ExpandInputs(patterns []string) ([]string, error) {
	var all []string
	for _, pattern := range patterns {
		if !IsPattern(pattern) {
			all = append(all, pattern)
			continue
		}
		matches, err := filepath.Glob(pattern)
		switch {
		case err != nil:
			return nil, exit.Usage("", "invalid pattern %q", pattern)
		case len(matches) == 0:
			return nil, exit.Usage("", "no file matches %s", pattern)
		}
		all = append(all, matches...)
	}
	return all, nil
}

// IsPattern reports whether a path is a pattern of files, as a shell would expand it.
func IsPattern(path string) bool {
	if !strings.ContainsAny(path, "*?[") || store.IsInBucket(path) {
		return false
	}
	_, err := os.Lstat(path)
	return err != nil
}
