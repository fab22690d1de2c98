package filetype

import (
	"errors"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
)

// ReportKind is the value of "kind" in a report.
const ReportKind = "Report"

// maxHead is far more than precedes the first key of a document, or the first reference of
// a list.
const maxHead = 64 << 10

var (
	ourDocument  = regexp.MustCompile(`(?m)^\s*\{?\s*["']?apiVersion["']?\s*:\s*["']?oras-mirror/`)
	documentKind = regexp.MustCompile(`(?m)(?:^|[{,])\s*["']?kind["']?\s*:\s*["']?(\w+)`)
)

// Document returns Spec, Lock, Report or List for a file that begins like one, even if the
// rest is invalid, and Unknown for any other file.
func Document(path string) Kind {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return Unknown
	}
	head, err := readHead(path)
	switch {
	case err != nil || strings.Contains(head, "\x00"):
		return Unknown
	case ourDocument.MatchString(head):
		return kindIn(head)
	case beginsWithReference(head):
		return List
	}
	return Unknown
}

// anyVersion matches the first key of an object of Kubernetes.
var anyVersion = regexp.MustCompile(`(?m)^\s*\{?\s*["']?apiVersion["']?\s*:`)

// IsManifest reports whether a file begins like a manifest of Kubernetes and not like a document
// of ours.
func IsManifest(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	head, err := readHead(path)
	kind := documentKind.FindStringSubmatch(head)
	return err == nil && kind != nil && kind[1] != config.Kind && anyVersion.MatchString(head) && !ourDocument.MatchString(head)
}

func readHead(path string) (_ string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	head, err := io.ReadAll(io.LimitReader(f, maxHead))
	return string(head), errors.Join(err, f.Close())
}

// outputs lists the kinds of the documents that commands print with --format json. None is
// taken for a spec.
var outputs = []string{"Event", "ArtifactList", "Plan", "Diff", "ImageList", "Version", "Verification", "Validation", "Prune"}

// kindIn goes by the key "kind" of a document, which a spec may lack.
func kindIn(text string) Kind {
	kind := documentKind.FindStringSubmatch(text)
	switch {
	case kind != nil && slices.Contains(outputs, kind[1]):
		return Unknown
	case kind != nil && kind[1] == lockfile.Kind:
		return Lock
	case kind != nil && kind[1] == ReportKind:
		return Report
	}
	return Spec
}

// beginsWithReference reports whether the first line that is neither empty nor a comment is
// a reference.
func beginsWithReference(text string) bool {
	for line := range strings.Lines(text) {
		found, err := config.ReadList("", strings.NewReader(line))
		if err != nil {
			return false
		}
		if len(found) > 0 {
			return true
		}
	}
	return false
}
