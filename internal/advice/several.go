package advice

import (
	"os"

	"github.com/oras-mirror/oras-mirror/internal/filetype"
)

// RepeatFlag tells how to give several files to a flag: a shell that expands a pattern leaves
// all but the first as arguments.
func RepeatFlag(flag string) string {
	return "put a pattern in quotes, such as " + flag + " 'NAME.*.tgz', or repeat " + flag + " for each file"
}

// IsArchive reports whether there is a file of that path that is no spec and no list.
func IsArchive(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && filetype.Guess(path) == filetype.Layout
}
