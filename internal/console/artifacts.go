package console

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/progress"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// maxNamed bounds the finished artifacts with a line each: people still read a log of 500
// lines; beyond that, counts tell more than names.
const maxNamed = 500

// Tell returns the lines of an event and writes its JSON event with --format json. Failures
// are told even with --quiet, with reason and hint.
func (c *Console) Tell(e progress.Event) []string {
	switch {
	case e.Artifact == nil:
		c.Events.Notice(e.Notice)
		return c.unlessQuiet(text.NoteMark + e.Notice)
	case e.Artifact.Err == nil:
		c.Events.Artifact(*e.Artifact, "")
		return c.finished(*e.Artifact, e.Nth)
	case !isFailure(e.Artifact.Err):
		return nil
	}
	return c.Failed(*e.Artifact)
}

// Failed returns the lines of an artifact that failed, and none if it was called for that
// artifact before.
func (c *Console) Failed(a engine.ArtifactReport) []string {
	if c.reported[key(a)] {
		return nil
	}
	if c.reported == nil {
		c.reported = make(map[artifactKey]bool)
	}
	c.reported[key(a)] = true
	err := ErrorOf(a)
	hint := c.hints.Of(err)
	c.Events.Artifact(a, hint)
	line, isNew := c.factOnce(err)
	if !isNew {
		c.unreported++
		return nil
	}
	lines := []string{c.Clean(text.ErrorMark + line)}
	if c.isNew(hint) {
		lines = append(lines, c.Clean(text.HintMark+hint))
	}
	return lines
}

// artifactKey identifies an artifact in a run.
type artifactKey struct{ reference, target string }

func key(a engine.ArtifactReport) artifactKey { return artifactKey{a.Reference, a.Target} }

// finished returns the line of a finished artifact. Beyond maxNamed it returns only counts:
// every hundred, every thousand and so on.
func (c *Console) finished(a engine.ArtifactReport, nth int) []string {
	switch {
	case nth <= maxNamed, a.Overwritten != "":
		return c.unlessQuiet(finishedLine(a))
	case nth%magnitude(nth) == 0:
		return c.unlessQuiet(text.Count(nth, "artifact") + " done")
	}
	return nil
}

func (c *Console) unlessQuiet(line string) []string {
	if c.quiet {
		return nil
	}
	return []string{c.Clean(line)}
}

func finishedLine(a engine.ArtifactReport) string {
	if a.Unchanged {
		return nameOf(a) + " (unchanged)"
	}
	return nameOf(a) + " (" + text.Join(text.Bytes(a.Bytes), OverwrittenText(a)) + ")"
}

// OverwrittenText returns the digest that the tag of the target had before, or "" if the tag
// is new.
func OverwrittenText(a engine.ArtifactReport) string {
	if a.Overwritten == "" {
		return ""
	}
	return "overwritten, was " + a.Overwritten.String()
}

// nameOf returns the reference of an artifact and, in a restore, its target.
func nameOf(a engine.ArtifactReport) string {
	if a.Target == "" {
		return a.Reference
	}
	return a.Reference + " -> " + a.Target
}

// ErrorOf returns the error of a failed artifact with the artifact's name, once: the error
// of a blob has only the blob, and that of a restore only the target.
func ErrorOf(a engine.ArtifactReport) error {
	if a.Target == "" && strings.Contains(a.Err.Error(), a.Reference) {
		return a.Err
	}
	return &namedError{name: nameOf(a), reason: engine.Reason(cmp.Or(a.Target, a.Reference), a.Err), err: a.Err}
}

// namedError adds the name of an artifact to an error.
type namedError struct {
	name, reason string
	err          error
}

func (e *namedError) Error() string { return e.name + ": " + e.reason }

func (e *namedError) Unwrap() error { return e.err }

// magnitude returns the largest power of ten up to n.
func magnitude(n int) int {
	m := 1
	for m*10 <= n {
		m *= 10
	}
	return m
}

// isFailure reports whether an artifact failed by itself, not by the end of the run.
func isFailure(err error) bool {
	_, interrupted := errors.AsType[*exit.SignalError](err)
	return err != nil && !interrupted && !errors.Is(err, context.Canceled) && !errors.Is(err, engine.ErrUnfinished)
}
