package filetype

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
)

// What documentIn tells apart.
const (
	aSpec   = "a mirror spec"
	ALock   = "a lock"
	AReport = "a report"
	aList   = "a list of references"
)

// documentHead is far more than stands in front of the first key of a document, or the
// first reference of a list.
const documentHead = 64 << 10

var (
	ourDocument  = regexp.MustCompile(`(?m)^\s*\{?\s*["']?apiVersion["']?\s*:\s*["']?oras-mirror/`)
	documentKind = regexp.MustCompile(`(?m)(?:^|[{,])\s*["']?kind["']?\s*:\s*["']?(\w+)`)
)

// Document says which of our documents a file is, even if that is not valid, or "".
func Document(path string) string {
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
		return ALock
	case kind != nil && kind[1] == ReportKind:
		return AReport
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

// ReportKind is what the document calls itself.
const ReportKind = "Report"
