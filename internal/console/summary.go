package console

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// Words are the verbs of a command in its summary.
type Words struct {
	done   string // of artifacts
	moved  string // of bytes
	shares bool   // the bytes that artifacts share are counted
}

// BackupWords, RestoreWords, SyncWords and MergeWords are the verbs of the commands that copy
// artifacts.
var (
	BackupWords  = Words{done: "backed up", moved: "fetched", shares: true}
	RestoreWords = Words{done: "restored", moved: "pushed", shares: true}
	SyncWords    = Words{done: "synced", moved: "copied", shares: true}
	MergeWords   = Words{done: "merged", moved: "copied"}
)

// Conclude prints the failures that are not printed yet, the summary of the run, and the
// names of the artifacts that failed. It returns the error that is left to print, or the
// status of a run that failed in part.
func (c *Console) Conclude(w Words, r *engine.Report, err error) error {
	failures := FailuresOf(r)
	for _, f := range failures {
		for _, line := range c.Failed(f) {
			c.put(line)
		}
	}
	if err == nil {
		c.NoticeNewest(r.Newest)
		c.Say("%s", summary(w, r, len(failures)))
		if len(r.Parts) > 0 {
			c.Say("%s", partsText(r.Parts))
		}
	}
	if err == nil || c.unreported > 0 {
		c.recall(failures)
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
	return withoutFailures(err, failures)
}

// recall prints the names of the artifacts that failed: their errors may be far above.
func (c *Console) recall(failures []engine.ArtifactReport) {
	if len(failures) == 0 {
		return
	}
	var names []string
	for _, f := range failures {
		names = append(names, nameOf(f))
	}
	names = slices.Compact(names) // a source fails once for each target
	line := strings.Join(names[:min(len(names), maxRecalled)], ", ")
	if more := len(names) - maxRecalled; more > 0 {
		line += " and " + text.Thousands(more) + " more"
	}
	c.Say("failed, for the reasons above: %s", line)
}

// maxRecalled bounds the names in that line.
const maxRecalled = 10

// statusOfFailures returns Unverified if the readback of a pushed artifact failed, else 0.
func statusOfFailures(failures []engine.ArtifactReport) exit.Status {
	for _, f := range failures {
		if _, ok := errors.AsType[*engine.ReadbackError](f.Err); ok {
			return exit.Unverified
		}
	}
	return 0
}

// FailuresOf returns the failures of a run, without the artifacts that it was merely working
// on when it ended.
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

// withoutFailures drops from the error of a run the errors of its failures, which are
// printed, and engine.ErrNothing, which follows from them.
func withoutFailures(err error, failures []engine.ArtifactReport) error {
	var left []error
	for _, one := range advice.Split(err) {
		printed := errors.Is(one, engine.ErrNothing)
		for _, f := range failures {
			printed = printed || errors.Is(one, f.Err)
		}
		if !printed {
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

// summary returns the summary of a run in one line.
func summary(w Words, r *engine.Report, failures int) string {
	all := len(r.Artifacts)
	line := w.done + " " + text.Count(all, "artifact")
	if failures > 0 {
		line = fmt.Sprintf("%s %s of %s", w.done, text.Thousands(all-failures), text.Count(all, "artifact"))
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
	line += fmt.Sprintf(" to %s: %s %s, ", outputName(r.Output), text.Bytes(r.Moved), w.moved)
	if w.shares {
		line += text.Bytes(r.Shared) + " shared, "
	}
	if r.There > 0 {
		line += text.Bytes(r.There) + " there already, "
	}
	if r.LeftBlobs > 0 {
		line += fmt.Sprintf("%s in %s left to the base, ", text.Bytes(r.Left), text.Count(r.LeftBlobs, "blob"))
	}
	line += text.Seconds(r.Duration)
	return line
}

// partsText names the files of a bundle in parts, with the sizes that media must have room for.
func partsText(parts []engine.Part) string {
	var all, largest int64
	for _, p := range parts {
		all, largest = all+p.Size, max(largest, p.Size)
	}
	first, last := parts[0].Path, parts[len(parts)-1].Path
	switch len(parts) {
	case 1:
		return fmt.Sprintf("wrote %s: 1 part of %s", first, text.Bytes(all))
	case 2:
		return fmt.Sprintf("wrote %s and %s: 2 parts of %s, the largest %s", first, last, text.Bytes(all), text.Bytes(largest))
	}
	return fmt.Sprintf("wrote %s to %s: %s of %s, the largest %s", first, last, text.Count(len(parts), "part"), text.Bytes(all), text.Bytes(largest))
}

// referrersText returns the number of referrers copied and, if some are missing, of all.
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

// NewestText returns how the newest tags of a repository were selected.
func NewestText(n engine.Newest) string {
	return fmt.Sprintf("%s: the newest %d by %s", n.Repository, n.Count, orderTexts[n.Order])
}

// NoticeNewest prints how the newest tags of repositories were selected.
func (c *Console) NoticeNewest(all []engine.Newest) {
	for _, n := range all {
		c.Notice("%s", NewestText(n))
	}
}

// orderTexts describes the orders of tags.
var orderTexts = map[string]string{
	filter.OrderSemver: "version",
	filter.OrderNumber: "the number in the tag",
	filter.OrderDate:   "the date in the tag",
	filter.OrderText:   "the text in the tag",
	filter.OrderList:   "the order in which the registry lists its tags, since not all are versions",
}
