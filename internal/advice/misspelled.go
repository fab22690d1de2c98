package advice

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/spelling"
	"github.com/oras-mirror/oras-mirror/store"
)

// maxNeighbors bounds the files that are compared with a name: more are no help.
const maxNeighbors = 1000

// noFileHint advises on a file that is not there: it suggests the one that was probably meant.
func (h Hints) noFileHint(err error) string {
	if is[*exit.DirectoryError](err) || isFileOfUser(err) && errors.Is(err, syscall.EISDIR) {
		return "name a file in it, not the directory"
	}
	path := absentFile(err)
	switch {
	case path == "" || store.IsInBucket(path):
		return ""
	case path == "-":
		return "to read a spec from standard input, use -f /dev/stdin"
	}
	fault, inSpec := errors.AsType[config.Fault](err)
	inSpec = inSpec && fault.Line > 0
	if nearest := neighbor(path); nearest != "" {
		if relative, relErr := filepath.Rel(filepath.Dir(fault.File), nearest); inSpec && relErr == nil {
			nearest = relative // as the spec names it
		}
		return DidYouMean(nearest)
	}
	switch {
	case inSpec:
		return "a path in a spec is relative to the folder of the spec"
	case fault.File != "" && !h.Manifests && strings.HasPrefix(filepath.Ext(path), ".y"):
		return `write one with "oras-mirror init -o ` + path + `"`
	}
	return ""
}

// neighbor returns the file that is there in place of one that is not; "" if none is like it.
func neighbor(path string) string {
	folder, name := filepath.Split(path)
	dir, err := os.Open(filepath.Clean(folder + "."))
	if err != nil {
		return ""
	}
	defer dir.Close()
	names, err := dir.Readdirnames(maxNeighbors)
	if err != nil {
		return ""
	}
	if nearest := spelling.Nearest(name, names); nearest != "" && strings.EqualFold(nearest[:1], name[:1]) {
		return folder + nearest
	}
	return ""
}

// isFileOfUser reports whether an error is about a file that a flag or a spec names.
func isFileOfUser(err error) bool {
	return is[config.Fault](err) || is[*registry.SettingsError](err)
}

// absentFile returns the path of a file that a flag or a spec names and that does not exist;
// "" for other errors.
func absentFile(err error) string {
	var input *store.InputError
	var absent *exit.NoFileError
	var fault config.Fault
	var system *fs.PathError
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return ""
	case errors.As(err, &input):
		return input.Path
	case errors.As(err, &absent):
		return absent.Path
	case errors.As(err, &fault) && fault.Path == "" && fault.Line == 0:
		return fault.File
	case errors.As(err, &system) && isFileOfUser(err):
		return system.Path
	}
	return ""
}
