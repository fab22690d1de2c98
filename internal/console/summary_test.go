package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
)

// conclusion returns the exit code and the standard error of a run.
func conclusion(r *engine.Report, err error) (int, string) {
	var out bytes.Buffer
	u := New(Options{Streams: Streams{Stderr: &out}})
	err = u.Conclude(BackupWords, r, err)
	u.Fail(err)
	return exit.Code(err), out.String()
}

func TestConclude(t *testing.T) {
	failure := &engine.ArtifactError{Reference: "a.io/b:v2", Op: "fetch", Err: errors.New("gone")}
	blob := &registry.Error{Op: "fetch", Reference: "a.io/b@sha256:1", Err: errors.New("cut")}
	whole := engine.ArtifactReport{Reference: "a.io/b:v1"}
	failed := engine.ArtifactReport{Reference: "a.io/b:v2", Err: failure}
	report := func(artifacts ...engine.ArtifactReport) *engine.Report {
		return &engine.Report{Artifacts: artifacts, Output: "x.tgz", Moved: 3 << 20, Shared: 1 << 20, Duration: 2 * time.Second}
	}
	inParts := func(paths ...string) *engine.Report {
		r := &engine.Report{Artifacts: []engine.ArtifactReport{whole}, Output: "x.*.tgz"}
		for i, path := range paths {
			r.Parts = append(r.Parts, engine.Part{Path: path, Size: int64(3-i) << 20})
		}
		return r
	}
	for _, test := range []struct {
		name   string
		result *engine.Report
		err    error
		code   int
		want   []string // lines
	}{
		{"all", report(whole, whole), nil, 0,
			[]string{"backed up 2 artifacts to x.tgz: 3.0 MiB fetched, 1.0 MiB shared, 2.0 s"}},
		{"one part", inParts("x.001.tgz"), nil, 0, []string{"backed up 1 artifact to x.*.tgz: ", "wrote x.001.tgz: 1 part of 3.0 MiB"}},
		{"two parts", inParts("x.001.tgz", "x.002.tgz"), nil, 0,
			[]string{"backed up 1 artifact to x.*.tgz: ", "wrote x.001.tgz and x.002.tgz: 2 parts of 5.0 MiB, the largest 3.0 MiB"}},
		{"parts", inParts("x.001.tgz", "x.002.tgz", "x.003.tgz"), nil, 0,
			[]string{"backed up 1 artifact to x.*.tgz: ", "wrote x.001.tgz to x.003.tgz: 3 parts of 6.0 MiB, the largest 3.0 MiB"}},
		{"some", report(whole, failed), nil, 3,
			[]string{text.ErrorMark + "a.io/b:v2: fetch: gone", "backed up 1 of 2 artifacts to x.tgz: 3.0 MiB fetched, 1.0 MiB shared, 2.0 s",
				"failed, for the reasons above: a.io/b:v2"}},
		{"a blob failed", report(whole, engine.ArtifactReport{Reference: "a.io/b:v2", Err: blob}), nil, 3,
			[]string{text.ErrorMark + "a.io/b:v2: sha256:1: fetch: cut", "backed up 1 of 2 ", "failed, for the reasons above: a.io/b:v2"}},
		{"none", report(failed), engine.ErrNothing, 1, []string{text.ErrorMark + "a.io/b:v2: fetch: gone"}},
		{"fail fast", report(whole, failed), fmt.Errorf("ended: %w", failure), 1, []string{text.ErrorMark + "a.io/b:v2: fetch: gone"}},
		{"output", report(failed), &store.OutputError{Path: "x", Err: errors.New("full")}, 1,
			[]string{text.ErrorMark + "a.io/b:v2: fetch: gone", text.ErrorMark + "x: full"}},
		{"under way", report(engine.ArtifactReport{Reference: "a.io/b:v1", Err: context.Canceled}), &exit.SignalError{Signal: 2}, 130,
			[]string{text.ErrorMark + "interrupted"}},
		{"collision", report(), &engine.CollisionError{Target: "b", Sources: [2]string{"a.io/b:v1", "b.io/b:v1"}}, 2,
			[]string{text.ErrorMark + "a.io/b:v1 and b.io/b:v1 both map to b", text.HintMark}},
		{"no report", nil, errors.New("broken"), 1, []string{text.ErrorMark + "broken"}},
		{"spec", nil, &config.LoadError{Faults: []config.Fault{{File: "m", Message: "one"}, {File: "m", Message: "two"}}}, 2,
			[]string{text.ErrorMark + "m: one", text.ErrorMark + "m: two"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stderr := conclusion(test.result, test.err)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("got %q, want %q", lines, test.want)
			}
			for i, want := range test.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("got %q, want %q", lines[i], want)
				}
			}
		})
	}
}

func TestHintOnce(t *testing.T) {
	var out bytes.Buffer
	u := New(Options{Streams: Streams{Stderr: &out}})
	u.Fail(errors.Join(exit.Usage("so", "one"), exit.Usage("so", "two"), exit.Usage("other", "three")))
	want := text.ErrorMark + "one\n" + text.HintMark + "so\n" + text.ErrorMark + "two\n" + text.ErrorMark + "three\n" + text.HintMark + "other\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestNothingSteersTheTerminal(t *testing.T) {
	var out bytes.Buffer
	u := New(Options{Streams: Streams{Stderr: &out}})
	u.Fail(errors.New("registry says \x1b[2J\x1b]0;owned\x07\r\nfine \u009b31m"))
	if got := strings.TrimSuffix(out.String(), "\n"); strings.ContainsAny(got, "\x1b\x07\r\n\u009b") {
		t.Errorf("got %q", got)
	}
}

func TestASourceThatFailsForTwoTargetsIsListedOnce(t *testing.T) {
	var out bytes.Buffer
	u := New(Options{Streams: Streams{Stderr: &out}})
	gone := engine.ArtifactReport{Reference: "a.io/b", Err: errors.New("gone")}
	u.recall([]engine.ArtifactReport{gone, gone, {Reference: "a.io/c:v1", Target: "d.io/c:v1", Err: gone.Err}})
	if want := "failed, for the reasons above: a.io/b, a.io/c:v1 -> d.io/c:v1\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
