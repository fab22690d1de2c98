package overwrite

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
)

// IsStdout knows the names of standard output.
func IsStdout(path string) bool {
	return path == "-" || path == StdoutPath || path == "/dev/fd/1" || path == "/proc/self/fd/1"
}

// File is a file or a directory that a run reads or writes. An empty path is none.
type File struct{ What, Path string }

// Check returns an error of usage if the file that an option names is in use by
// the run, part of an OCI layout, or one of our documents, but for the kind that is
// written: no user means to lose one of these, and a misplaced option would.
func Check(option, path, written string, used []File) error {
	for _, f := range used {
		if isSameFile(path, f.Path) {
			return exit.Usage("name another file", "%s %s is %s", option, path, f.What)
		}
	}
	if isPartOfLayout(path) {
		return exit.Usage("name another file", "%s %s is part of an OCI layout", option, path)
	}
	if what := filetype.Document(path); what != "" && what != written {
		return exit.Usage("name another file, or remove this one", "%s %s is %s", option, path, what)
	}
	return nil
}

// SpecFiles lists what a spec names, and the spec itself.
func SpecFiles(path string, spec *config.Spec) []File {
	all := []File{{"the mirror spec", path}}
	named := spec.Files()
	for _, group := range []struct {
		what  string
		paths []string
	}{{"a list of the spec", named.Lists}, {SpecLayout, named.Layouts}, {"a certificate or key of the spec", named.Certificates}} {
		for _, path := range group.paths {
			all = append(all, File{group.what, path})
		}
	}
	return all
}

// SpecLayout is read and may be added to.
const SpecLayout = "a layout of the spec"

// LayoutFiles lists a layout, or an archive of one, and what a link to a part of it would
// lead to.
func LayoutFiles(what, path string) []File {
	return []File{{what, path}, {what, path + ".partial"},
		{what, filepath.Join(path, ocispec.ImageIndexFile)}, {what, filepath.Join(path, ocispec.ImageLayoutFile)}}
}

// What standard input and output are, where they lead to a file.
const (
	StdinPath  = "/dev/stdin"
	StdoutPath = "/dev/stdout"
)

// isSameFile reports whether two paths lead to one file or directory, which need not be
// there yet. A device or a pipe is never one: it keeps nothing that could be lost.
func isSameFile(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	switch {
	case errA == nil && errB == nil:
		return (infoA.Mode().IsRegular() || infoA.IsDir()) && os.SameFile(infoA, infoB)
	case errA == nil || errB == nil:
		return false
	}
	a, b = destinationOf(a), destinationOf(b)
	return a == b || ignoresCase && strings.EqualFold(a, b)
}

// ignoresCase says that file systems of this system, as a rule, do.
const ignoresCase = runtime.GOOS == "windows" || runtime.GOOS == "darwin"

// maxLinks is how many symbolic links Linux follows.
const maxLinks = 40

// destinationOf returns where a file would be made that is written under a path, with
// all links followed.
func destinationOf(path string) string {
	for range maxLinks {
		to, err := os.Readlink(strings.TrimRight(path, string(os.PathSeparator)))
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(folder, filepath.Base(path))
	}
	return path
}

// isPartOfLayout knows the files of a layout by the oci-layout beside or above them.
func isPartOfLayout(path string) bool {
	path = destinationOf(path)
	folder, name := filepath.Split(path)
	switch name {
	case ocispec.ImageIndexFile, ocispec.ImageLayoutFile:
		return isLayout(folder)
	}
	for folder = filepath.Clean(folder); folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		if filepath.Base(folder) == ocispec.ImageBlobsDir && isLayout(filepath.Dir(folder)) {
			return true
		}
	}
	return false
}

func isLayout(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, ocispec.ImageLayoutFile))
	return err == nil
}
