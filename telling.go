package main

import (
	"cmp"
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
)

// tell returns the lines that say what happened, and makes an event of it where
// events are wanted. A failure is always said, with its reason and what to do.
func (u *ui) tell(h happening) []string {
	switch {
	case h.artifact == nil:
		u.events.notice(h.notice)
		return u.unlessQuiet(note + h.notice)
	case h.artifact.Err == nil:
		u.events.artifact(*h.artifact, "")
		return u.finished(*h.artifact, h.nth)
	case !isFailure(h.artifact.Err):
		return nil
	}
	return u.failed(*h.artifact)
}

// failed says why an artifact is not whole, and remembers that it did.
func (u *ui) failed(a engine.ArtifactReport) []string {
	if u.told[key(a)] {
		return nil
	}
	if u.told == nil {
		u.told = make(map[artifactKey]bool)
	}
	u.told[key(a)] = true
	err := named(a)
	hint := u.hints.of(err)
	u.events.artifact(a, hint)
	text, isNew := u.factOnce(err)
	if !isNew {
		u.unsaid++
		return nil
	}
	lines := []string{u.clean(errorMark + text)}
	if u.isNew(hint) {
		lines = append(lines, u.clean(hintMark+hint))
	}
	return lines
}

// artifactKey tells artifacts of a run apart.
type artifactKey struct{ reference, target string }

func key(a engine.ArtifactReport) artifactKey { return artifactKey{a.Reference, a.Target} }

// finished names the artifact, or from some number on every tenth, hundredth or
// thousandth count.
func (u *ui) finished(a engine.ArtifactReport, nth int) []string {
	switch {
	case nth <= namedArtifacts, a.Overwritten != "":
		return u.unlessQuiet(finishedLine(a))
	case nth%magnitude(nth) == 0:
		return u.unlessQuiet(count(nth, "artifact") + " done")
	}
	return nil
}

func (u *ui) unlessQuiet(line string) []string {
	if u.quiet {
		return nil
	}
	return []string{u.clean(line)}
}

func finishedLine(a engine.ArtifactReport) string {
	if a.Unchanged {
		return nameOf(a) + " (unchanged)"
	}
	return nameOf(a) + " (" + joined([]string{bytesText(a.Bytes), overwrittenText(a)}) + ")"
}

// overwrittenText says what the tag of a target had before; nothing if that was
// nothing else.
func overwrittenText(a engine.ArtifactReport) string {
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

// named makes sure that the reason for a failure names the artifact, and once: a
// blob's error knows only the blob, one of a restore only where it was to go.
func named(a engine.ArtifactReport) error {
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
