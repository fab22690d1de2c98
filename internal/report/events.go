package report

import (
	"fmt"
	"io"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/progress"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/internal/version"
)

// Events tell a program what a run does: one JSON object a line on standard
// output, as docs/events.md has it. nil tells nothing. They are for one goroutine
// at a time.
type Events struct {
	w      io.Writer
	hide   func(string) string
	now    func() time.Time
	totals *Document // of the run, once it is over
	dry    bool      // nothing was copied: it was planned
	err    error     // the first in writing; nothing is written behind it
}

// eventHead begins every event.
type eventHead struct {
	Event string    `json:"event"`
	Time  time.Time `json:"time"`
}

// The events, each with its name in docs/events.md.
type (
	startEvent struct {
		eventHead
		APIVersion string `json:"apiVersion"`
		Command    string `json:"command"`
		Version    string `json:"version"`
	}
	progressEvent struct {
		eventHead
		Listed         int    `json:"listed"`
		Resolved       int    `json:"resolved"`
		Done           int    `json:"done"`
		Failed         int    `json:"failed"`
		MovedBytes     int64  `json:"movedBytes"`
		ExpectedBytes  int64  `json:"expectedBytes"`
		BytesPerSecond int64  `json:"bytesPerSecond"`
		Moving         string `json:"moving,omitempty"`
		Retrying       string `json:"retrying,omitempty"`
	}
	artifactEvent struct {
		eventHead
		Artifact
		Hint string `json:"hint,omitempty"`
	}
	noticeEvent struct {
		eventHead
		Message string `json:"message"`
	}
	errorEvent struct {
		eventHead
		Error string `json:"error"`
		Hint  string `json:"hint,omitempty"`
	}
	endEvent struct {
		eventHead
		ExitCode        int      `json:"exitCode"`
		DurationSeconds float64  `json:"durationSeconds"`
		Output          string   `json:"output,omitempty"`
		Targets         []string `json:"targets,omitempty"`
		Incomplete      bool     `json:"incomplete,omitempty"`
		Totals          Totals   `json:"totals"`
	}
)

// statusPlanned is what --dry-run says of an artifact.
const statusPlanned = "planned"

func (e *Events) head(name string) eventHead {
	return eventHead{name, e.now().UTC().Truncate(time.Millisecond)}
}

func (e *Events) write(event any) {
	if e.err != nil {
		return
	}
	if err := text.NewEncoder(e.w).Encode(event); err != nil {
		e.err = fmt.Errorf("write the events: %w", err)
	}
}

func (e *Events) start(command string) {
	if e != nil {
		e.write(startEvent{e.head("start"), config.APIVersion, command, version.Read().Version})
	}
}

func (e *Events) Progress(at progress.State, rate float64) {
	if e != nil {
		e.write(progressEvent{e.head("progress"), at.Listed, at.Resolved, at.Finished, at.Failed, at.Moved, at.Expected, int64(rate), at.Moving, at.Retry.Full()})
	}
}

func (e *Events) Artifact(a engine.ArtifactReport, hint string) {
	if e != nil {
		e.write(artifactEvent{e.head("artifact"), artifactOf(a, e.hide), e.hide(hint)})
	}
}

// Planned says where an artifact would go.
func (e *Events) Planned(a engine.ArtifactReport) {
	one := artifactOf(a, e.hide)
	one.Status, e.dry = statusPlanned, true
	e.write(artifactEvent{e.head("artifact"), one, ""})
}

func (e *Events) Notice(message string) {
	if e != nil {
		e.write(noticeEvent{e.head("notice"), e.hide(message)})
	}
}

func (e *Events) Failure(err error, hint string) {
	if e != nil {
		e.write(errorEvent{e.head("error"), e.hide(advice.Fact(err)), e.hide(hint)})
	}
}

// End is the last event of every run.
func (e *Events) End(exitCode int) error {
	one := endEvent{eventHead: e.head("end"), ExitCode: exitCode}
	if d := e.totals; d != nil {
		one.DurationSeconds, one.Output, one.Targets, one.Incomplete, one.Totals = d.DurationSeconds, d.Output, d.Targets, d.Incomplete, d.Totals
	}
	if e.dry {
		one.Totals.Copied = 0
	}
	e.write(one)
	return e.err
}

// NewEvents returns events whose first one says that a command starts.
func NewEvents(w io.Writer, hide func(string) string, command string) (*Events, error) {
	e := &Events{w: w, hide: hide, now: time.Now}
	e.start(command)
	return e, e.err
}
