package console

import (
	"cmp"
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/progress"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// namedArtifacts is how many finished artifacts get a line of their own. A log
// of 500 lines can still be read; beyond it counts say more than names.
const namedArtifacts = 500

// Tell returns the lines that say what happened, and makes an event of it where
// events are wanted. A failure is always said, with its reason and what to do.
func (u *Console) Tell(h progress.Event) []string {
	switch {
	case h.Artifact == nil:
		u.Events.Notice(h.Notice)
		return u.unlessQuiet(text.NoteMark + h.Notice)
	case h.Artifact.Err == nil:
		u.Events.Artifact(*h.Artifact, "")
		return u.finished(*h.Artifact, h.Nth)
	case !isFailure(h.Artifact.Err):
		return nil
	}
	return u.Failed(*h.Artifact)
}

// Failed says why an artifact is not whole, and remembers that it did.
func (u *Console) Failed(a engine.ArtifactReport) []string {
	if u.told[key(a)] {
		return nil
	}
	if u.told == nil {
		u.told = make(map[artifactKey]bool)
	}
	u.told[key(a)] = true
	err := ErrorOf(a)
	hint := u.hints.Of(err)
	u.Events.Artifact(a, hint)
	line, isNew := u.factOnce(err)
	if !isNew {
		u.unsaid++
		return nil
	}
	lines := []string{u.Clean(text.ErrorMark + line)}
	if u.isNew(hint) {
		lines = append(lines, u.Clean(text.HintMark+hint))
	}
	return lines
}

// artifactKey tells artifacts of a run apart.
type artifactKey struct{ reference, target string }

func key(a engine.ArtifactReport) artifactKey { return artifactKey{a.Reference, a.Target} }

// finished names the artifact, or from some number on every tenth, hundredth or
// thousandth count.
func (u *Console) finished(a engine.ArtifactReport, nth int) []string {
	switch {
	case nth <= namedArtifacts, a.Overwritten != "":
		return u.unlessQuiet(finishedLine(a))
	case nth%magnitude(nth) == 0:
		return u.unlessQuiet(text.Count(nth, "artifact") + " done")
	}
	return nil
}

func (u *Console) unlessQuiet(line string) []string {
	if u.quiet {
		return nil
	}
	return []string{u.Clean(line)}
}

func finishedLine(a engine.ArtifactReport) string {
	if a.Unchanged {
		return nameOf(a) + " (unchanged)"
	}
	return nameOf(a) + " (" + text.Join([]string{text.Bytes(a.Bytes), OverwrittenText(a)}) + ")"
}

// OverwrittenText says what the tag of a target had before; nothing if that was
// nothing else.
func OverwrittenText(a engine.ArtifactReport) string {
	if a.Overwritten == "" {
		return ""
	}
	return "overwritten, was " + a.Overwritten.String()
}

// nameOf is an artifact and, in a restore, where it goes.
func nameOf(a engine.ArtifactReport) string {
	if a.Target == "" {
		return a.Reference
	}
	return a.Reference + " -> " + a.Target
}

// ErrorOf makes sure that the reason for a failure names the artifact, and once: a
// blob's error knows only the blob, one of a restore only where it was to go.
func ErrorOf(a engine.ArtifactReport) error {
	if a.Target == "" && strings.Contains(a.Err.Error(), a.Reference) {
		return a.Err
	}
	return &namedError{name: nameOf(a), reason: engine.Reason(cmp.Or(a.Target, a.Reference), a.Err), err: a.Err}
}

// namedError is the error of an artifact that its own text does not begin with.
type namedError struct {
	name, reason string
	err          error
}

func (e *namedError) Error() string { return e.name + ": " + e.reason }

func (e *namedError) Unwrap() error { return e.err }

// magnitude is the largest power of ten that is not larger than n.
func magnitude(n int) int {
	m := 1
	for m*10 <= n {
		m *= 10
	}
	return m
}
