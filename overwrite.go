package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
)

// fileInUse is a file or a directory that a run reads or writes. An empty path is none.
type fileInUse struct{ what, path string }

// mayReplace returns an error of usage if the file that an option names is in use by
// the run, part of an OCI layout, or one of our documents, but for the kind that is
// written: no user means to lose one of these, and a misplaced option would.
func mayReplace(option, path, written string, used []fileInUse) error {
	for _, f := range used {
		if isSameFile(path, f.path) {
			return usage("name another file", "%s %s is %s", option, path, f.what)
		}
	}
	if isPartOfLayout(path) {
		return usage("name another file", "%s %s is part of an OCI layout", option, path)
	}
	if what := documentIn(path); what != "" && what != written {
		return usage("name another file, or remove this one", "%s %s is %s", option, path, what)
	}
	return nil
}

// filesOf lists what a spec names, and the spec itself.
func filesOf(path string, spec *config.Spec) []fileInUse {
	all := []fileInUse{{"the mirror spec", path}}
	named := spec.Files()
	for _, group := range []struct {
		what  string
		paths []string
	}{{"a list of the spec", named.Lists}, {aLayoutOfTheSpec, named.Layouts}, {"a certificate or key of the spec", named.Certificates}} {
		for _, path := range group.paths {
			all = append(all, fileInUse{group.what, path})
		}
	}
	return all
}

// aLayoutOfTheSpec is read and may be added to.
const aLayoutOfTheSpec = "a layout of the spec"

// inLayout lists a layout, or an archive of one, and what a link to a part of it would
// lead to.
func inLayout(what, path string) []fileInUse {
	return []fileInUse{{what, path}, {what, path + ".partial"},
		{what, filepath.Join(path, ocispec.ImageIndexFile)}, {what, filepath.Join(path, ocispec.ImageLayoutFile)}}
}

// What standard input and output are, where they lead to a file.
const (
	stdinPath  = "/dev/stdin"
	stdoutPath = "/dev/stdout"
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

// What documentIn tells apart.
const (
	aSpec   = "a mirror spec"
	aLock   = "a lock"
	aReport = "a report"
	aList   = "a list of references"
)

// documentHead is far more than stands in front of the first key of a document, or the
// first reference of a list.
const documentHead = 64 << 10

var (
	ourDocument  = regexp.MustCompile(`(?m)^\s*\{?\s*["']?apiVersion["']?\s*:\s*["']?oras-mirror/`)
	documentKind = regexp.MustCompile(`(?m)(?:^|[{,])\s*["']?kind["']?\s*:\s*["']?(\w+)`)
)

// documentIn says which of our documents a file is, even if that is not valid, or "".
func documentIn(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	head, err := readHead(path)
	switch {
	case err != nil || strings.Contains(head, "\x00"):
		return ""
	case !ourDocument.MatchString(head):
		return listIn(head)
	}
	kind := documentKind.FindStringSubmatch(head)
	switch {
	case kind != nil && kind[1] == config.LockKind:
		return aLock
	case kind != nil && kind[1] == reportKind:
		return aReport
	}
	return aSpec
}

func readHead(path string) (_ string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	head, err := io.ReadAll(io.LimitReader(f, documentHead))
	return string(head), errors.Join(err, f.Close())
}

// listIn goes by the first line that says something.
func listIn(text string) string {
	for line := range strings.Lines(text) {
		found, err := config.ReadList("", strings.NewReader(line))
		if err != nil {
			return ""
		}
		if len(found) > 0 {
			return aList
		}
	}
	return ""
}
