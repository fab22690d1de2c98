package console

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// TestDocumentHasEveryError checks that a document has each error of a command once, printed or
// not, without secrets, and the exit code.
func TestDocumentHasEveryError(t *testing.T) {
	var stdout, stderr bytes.Buffer
	c := New(Options{Streams: Streams{Stdout: &stdout, Stderr: &stderr}, Quiet: true})
	c.Secrets.Add("me", "s3cr3t")
	var got []Failure
	c.SetDocument(func(failures []Failure, exitCode int) any {
		got = failures
		return map[string]int{"exitCode": exitCode}
	})
	fault := config.Fault{File: "mirror.yaml", Line: 3, Column: 5, Path: "sources[0]", Message: "unknown key"}
	c.Fail(errors.Join(errors.New("denied for s3cr3t"), &config.LoadError{Faults: []config.Fault{fault}}))
	c.Keep([]error{errors.New("not printed")})
	c.Fail(exit.Unverified)
	if code := c.End(5); code != 5 || stdout.String() != "{\n  \"exitCode\": 5\n}\n" {
		t.Errorf("exit code %d, %s", code, stdout.String())
	}
	var texts []string
	for _, f := range got {
		texts = append(texts, f.Text)
	}
	if all := strings.Join(texts, "|"); len(got) != 3 || strings.Contains(all, "s3cr3t") || !strings.HasSuffix(all, "|unknown key|not printed") {
		t.Errorf("the document has %q", texts)
	}
	if lines := stderr.String(); strings.Count(lines, "error: ") != 2 || strings.Contains(lines, "not printed") || strings.Contains(lines, "s3cr3t") {
		t.Errorf("printed are %q", lines)
	}
}

// TestDocumentThatCannotBeWritten ends with an error, whatever the command found.
func TestDocumentThatCannotBeWritten(t *testing.T) {
	var stderr bytes.Buffer
	c := New(Options{Streams: Streams{Stdout: closedOutput{}, Stderr: &stderr}})
	c.SetDocument(func([]Failure, int) any { return struct{}{} })
	if code := c.End(0); code != int(exit.Failed) || !strings.Contains(stderr.String(), "standard output is closed") {
		t.Errorf("exit code %d, %s", code, stderr.String())
	}
}
