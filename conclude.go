package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
)

// words are what a command calls what it does.
type words struct {
	did   string // with artifacts
	to    string
	moved string // bytes over the network
}

var (
	backupWords  = words{did: "backed up", to: "to", moved: "fetched"}
	restoreWords = words{did: "restored", to: "to", moved: "pushed"}
)

// conclude says what failed and was not said when it happened, then what the run
// did and, by name alone, what it did not. It returns what is left to say, or
// the status of a run that failed in part.
func (u *ui) conclude(w words, r *engine.Report, err error) error {
	failures := failuresOf(r)
	for _, f := range failures {
		for _, line := range u.failed(f) {
			u.put(line)
		}
	}
	if err == nil {
		u.tellNewest(r.Newest)
		u.say("%s", summary(w, r, len(failures)))
	}
	if err == nil || u.unsaid > 0 {
		u.recall(failures)
	}
	switch {
	case len(failures) == 0:
		return err
	case err == nil || errors.Is(err, engine.ErrNothing):
		if status := statusOfFailures(failures); status != 0 {
			return status
		}
	}
	if err == nil {
		return statusPartial
	}
	return leftOf(err, failures)
}

// recall names what failed. The reasons were told as they came, and may be far
// above.
func (u *ui) recall(failures []engine.ArtifactReport) {
	if len(failures) == 0 {
		return
	}
	var names []string
	for _, f := range failures[:min(len(failures), recalled)] {
		names = append(names, nameOf(f))
	}
	text := strings.Join(names, ", ")
	if more := len(failures) - recalled; more > 0 {
		text += " and " + thousands(more) + " more"
	}
	u.say("failed, for the reasons above: %s", text)
}

// recalled is how many names are still worth reading in one line.
const recalled = 10

// statusOfFailures is the one for artifacts that were pushed and then read back
// wrong; 0 if there are none.
func statusOfFailures(failures []engine.ArtifactReport) status {
	for _, f := range failures {
		if is[*engine.ReadbackError](f.Err) {
			return statusUnverified
		}
	}
	return 0
}

// failuresOf leaves out what merely was under way when the run was ended.
func failuresOf(r *engine.Report) []engine.ArtifactReport {
	if r == nil {
		return nil
	}
	var failures []engine.ArtifactReport
	for _, f := range r.Failures() {
		if isFailure(f.Err) {
			failures = append(failures, f)
		}
	}
	return failures
}

// leftOf drops from the error of a run what its failures have said: the one
// that ended it, and that nothing is left without them.
func leftOf(err error, failures []engine.ArtifactReport) error {
	var left []error
	for _, one := range separate(err) {
		said := errors.Is(one, engine.ErrNothing)
		for _, f := range failures {
			said = said || errors.Is(one, f.Err)
		}
		if !said {
			left = append(left, one)
		}
	}
	switch {
	case len(left) > 0:
		return errors.Join(left...)
	case isUsage(err):
		return statusUsage
	}
	return statusFailed
}

// summary is the last line of a run that has something to show.
func summary(w words, r *engine.Report, failures int) string {
	all := len(r.Artifacts)
	text := w.did + " " + count(all, "artifact")
	if failures > 0 {
		text = fmt.Sprintf("%s %s of %s", w.did, thousands(all-failures), count(all, "artifact"))
	}
	var states []string
	if r.Unchanged > 0 {
		states = append(states, thousands(r.Unchanged)+" unchanged")
	}
	if r.Overwritten > 0 {
		states = append(states, thousands(r.Overwritten)+" overwritten")
	}
	if len(states) > 0 {
		text += " (" + strings.Join(states, ", ") + ")"
	}
	text += referrersText(r)
	text += fmt.Sprintf(" %s %s: %s %s, %s shared, ", w.to, outputName(r.Output), bytesText(r.Moved), w.moved, bytesText(r.Shared))
	if r.There > 0 {
		text += bytesText(r.There) + " there already, "
	}
	text += secondsText(r.Duration)
	return text
}

// referrersText counts what came along of what was to.
func referrersText(r *engine.Report) string {
	switch {
	case r.Expected == 0:
		return ""
	case r.Referrers == r.Expected:
		return " and " + count(r.Referrers, "referrer")
	}
	return fmt.Sprintf(" and %s of %s", thousands(r.Referrers), count(r.Expected, "referrer"))
}

func outputName(path string) string {
	if path == "-" || path == "" {
		return "standard output"
	}
	return path
}
