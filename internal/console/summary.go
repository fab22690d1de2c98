package console

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// Words are what a command calls what it does.
type Words struct {
	did   string // with artifacts
	to    string
	moved string // bytes over the network
}

var (
	BackupWords  = Words{did: "backed up", to: "to", moved: "fetched"}
	RestoreWords = Words{did: "restored", to: "to", moved: "pushed"}
)

// Conclude says what failed and was not said when it happened, then what the run
// did and, by name alone, what it did not. It returns what is left to say, or
// the status of a run that failed in part.
func (u *Console) Conclude(w Words, r *engine.Report, err error) error {
	failures := FailuresOf(r)
	for _, f := range failures {
		for _, line := range u.Failed(f) {
			u.put(line)
		}
	}
	if err == nil {
		u.TellNewest(r.Newest)
		u.Say("%s", summary(w, r, len(failures)))
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
		return exit.Partial
	}
	return leftOf(err, failures)
}

// recall names what failed. The reasons were told as they came, and may be far
// above.
func (u *Console) recall(failures []engine.ArtifactReport) {
	if len(failures) == 0 {
		return
	}
	var names []string
	for _, f := range failures[:min(len(failures), recalled)] {
		names = append(names, nameOf(f))
	}
	line := strings.Join(names, ", ")
	if more := len(failures) - recalled; more > 0 {
		line += " and " + text.Thousands(more) + " more"
	}
	u.Say("failed, for the reasons above: %s", line)
}

// recalled is how many names are still worth reading in one line.
const recalled = 10

// statusOfFailures is the one for artifacts that were pushed and then read back
// wrong; 0 if there are none.
func statusOfFailures(failures []engine.ArtifactReport) exit.Status {
	for _, f := range failures {
		if _, ok := errors.AsType[*engine.ReadbackError](f.Err); ok {
			return exit.Unverified
		}
	}
	return 0
}

// FailuresOf leaves out what merely was under way when the run was ended.
func FailuresOf(r *engine.Report) []engine.ArtifactReport {
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
	for _, one := range advice.Split(err) {
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
	case exit.IsUsage(err):
		return exit.InvalidUsage
	}
	return exit.Failed
}

// summary is the last line of a run that has something to show.
func summary(w Words, r *engine.Report, failures int) string {
	all := len(r.Artifacts)
	line := w.did + " " + text.Count(all, "artifact")
	if failures > 0 {
		line = fmt.Sprintf("%s %s of %s", w.did, text.Thousands(all-failures), text.Count(all, "artifact"))
	}
	var states []string
	if r.Unchanged > 0 {
		states = append(states, text.Thousands(r.Unchanged)+" unchanged")
	}
	if r.Overwritten > 0 {
		states = append(states, text.Thousands(r.Overwritten)+" overwritten")
	}
	if len(states) > 0 {
		line += " (" + strings.Join(states, ", ") + ")"
	}
	line += referrersText(r)
	line += fmt.Sprintf(" %s %s: %s %s, %s shared, ", w.to, outputName(r.Output), text.Bytes(r.Moved), w.moved, text.Bytes(r.Shared))
	if r.There > 0 {
		line += text.Bytes(r.There) + " there already, "
	}
	line += text.Seconds(r.Duration)
	return line
}

// referrersText counts what came along of what was to.
func referrersText(r *engine.Report) string {
	switch {
	case r.Expected == 0:
		return ""
	case r.Referrers == r.Expected:
		return " and " + text.Count(r.Referrers, "referrer")
	}
	return fmt.Sprintf(" and %s of %s", text.Thousands(r.Referrers), text.Count(r.Expected, "referrer"))
}

func outputName(path string) string {
	if path == "-" || path == "" {
		return "standard output"
	}
	return path
}

// NewestText says by which order the newest tags of a repository were found.
func NewestText(n engine.Newest) string {
	return fmt.Sprintf("%s: the newest %d by %s", n.Repository, n.Count, orderTexts[n.Order])
}

// TellNewest says it of several.
func (u *Console) TellNewest(all []engine.Newest) {
	for _, n := range all {
		u.Notice("%s", NewestText(n))
	}
}

var orderTexts = map[string]string{
	config.OrderSemver: "version",
	config.OrderList:   "the order in which the registry lists its tags, since not all are versions",
}

// isFailure leaves out what merely was under way when a run was ended.
func isFailure(err error) bool {
	_, interrupted := errors.AsType[*exit.SignalError](err)
	return err != nil && !interrupted && !errors.Is(err, context.Canceled) && !errors.Is(err, engine.ErrUnfinished)
}
