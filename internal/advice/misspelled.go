package advice

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/spelling"
	"github.com/oras-mirror/oras-mirror/store"
)

// maxNeighbors bounds the files that are compared with a name: more are no help.
const maxNeighbors = 1000

// misspelledHint suggests the file that is there in place of one that is not.
func misspelledHint(err error) string {
	path := absentFile(err)
	if path == "" || store.IsInBucket(path) {
		return ""
	}
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
		return DidYouMean(folder + nearest)
	}
	return ""
}

// absentFile returns the path of a spec or an input that does not exist; "" for other errors.
func absentFile(err error) string {
	var input *store.InputError
	var absent *exit.NoFileError
	var fault config.Fault
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return ""
	case errors.As(err, &input):
		return input.Path
	case errors.As(err, &absent):
		return absent.Path
	case errors.As(err, &fault) && fault.Path == "" && fault.Line == 0:
		return fault.File
	}
	return ""
}
