// Package overwrite protects files from options that would replace them by mistake: files in
// use by the run, parts of an OCI layout, and documents of another kind.
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

// StdinPath and StdoutPath lead to the files to which the standard streams are redirected.
const (
	StdinPath  = "/dev/stdin"
	StdoutPath = "/dev/stdout"
)

// IsStdout reports whether a path is a name of standard output.
func IsStdout(path string) bool {
	return path == "-" || path == StdoutPath || path == "/dev/fd/1" || path == "/proc/self/fd/1"
}

// File is a file or a directory that a run reads or writes, with a description such as "the
// input". A File with an empty path is ignored.
type File struct{ What, Path string }

// Check returns an exit.UsageError if the path of an option is in use by the run, part of an
// OCI layout, or a file of another kind than the run writes there: a misplaced option must
// not cost the user one of these. If that kind is Unknown, the caller knows it.
func Check(option, path string, written filetype.Kind, used []File) error {
	if err := CheckInUse(option, path, used); err != nil {
		return err
	}
	if isPartOfLayout(path) {
		return exit.Usage("choose another file", "%s %s is part of an OCI layout", option, path)
	}
	switch kind := filetype.Document(path); {
	case kind == written:
	case kind != filetype.Unknown:
		return exit.Usage(chooseOrRemove, "%s %s is %s", option, path, kind)
	case hasContent(path):
		return exit.Usage(chooseOrRemove, "%s %s exists and is not %s", option, path, written)
	}
	return nil
}

const chooseOrRemove = "choose another file, or remove this one"

// hasContent reports whether path is a file that is not empty.
func hasContent(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0
}

// CheckInUse returns an exit.UsageError if the path of an option, a file or a directory, is in
// use by the run.
func CheckInUse(option, path string, used []File) error {
	for _, f := range used {
		if isSameFile(path, f.Path) {
			return exit.Usage("choose another file", "%s %s is %s", option, path, f.What)
		}
	}
	return nil
}

// SpecFiles lists a spec and the files that it names.
func SpecFiles(path string, spec *config.Spec) []File {
	all := []File{{"the mirror spec", path}}
	named := spec.Files()
	for _, group := range []struct {
		what  string
		paths []string
	}{{"a list of the spec", named.Lists}, {SpecLayout, named.Layouts}, {"a manifest of the spec", named.Manifests}, {"the values of a chart in the spec", named.Values}, {"a certificate or key of the spec", named.Certificates}, {"a key or trust file of the spec", named.Trust}} {
		for _, path := range group.paths {
			all = append(all, File{group.what, path})
		}
	}
	return all
}

// SpecLayout describes a layout that a spec names, which a backup can also write to.
const SpecLayout = "a layout of the spec"

// LayoutFiles lists the files of a layout, or of an archive of one, that a link could lead
// to.
func LayoutFiles(what, path string) []File {
	return []File{{what, path}, {what, path + ".partial"},
		{what, filepath.Join(path, ocispec.ImageIndexFile)}, {what, filepath.Join(path, ocispec.ImageLayoutFile)}}
}

// isSameFile reports whether two paths lead to the same file or directory, even if it does
// not exist yet. It is false for devices and pipes, which have no content to lose.
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

// ignoresCase reports whether file systems usually ignore case on this operating system.
const ignoresCase = runtime.GOOS == "windows" || runtime.GOOS == "darwin"

// maxLinks is the number of symbolic links that Linux follows.
const maxLinks = 40

// destinationOf returns the path at which a new file would be created, with all symbolic
// links followed.
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

// isPartOfLayout reports whether a path is in a layout: an oci-layout is beside it, or beside
// the blobs directory above it.
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
