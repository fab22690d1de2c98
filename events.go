package main

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
)

// events tell a program what a run does: one JSON object a line on standard
// output, as docs/events.md has it. nil tells nothing. They are for one goroutine
// at a time.
type events struct {
	w      io.Writer
	hide   func(string) string
	now    func() time.Time
	totals *reportDocument // of the run, once it is over
	dry    bool            // nothing was copied: it was planned
	err    error           // the first in writing; nothing is written behind it
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
		reportArtifact
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
		ExitCode        int          `json:"exitCode"`
		DurationSeconds float64      `json:"durationSeconds"`
		Output          string       `json:"output,omitempty"`
		Targets         []string     `json:"targets,omitempty"`
		Incomplete      bool         `json:"incomplete,omitempty"`
		Totals          reportTotals `json:"totals"`
	}
)

// statusPlanned is what --dry-run says of an artifact.
const statusPlanned = "planned"

func (e *events) head(name string) eventHead {
	return eventHead{name, e.now().UTC().Truncate(time.Millisecond)}
}

func (e *events) write(event any) {
	if e.err != nil {
		return
	}
	if err := newEncoder(e.w).Encode(event); err != nil {
		e.err = fmt.Errorf("write the events: %w", err)
	}
}

func (e *events) start(command string) {
	if e != nil {
		e.write(startEvent{e.head("start"), config.APIVersion, command, readVersion().Version})
	}
}

func (e *events) progress(at standing, rate float64) {
	if e != nil {
		e.write(progressEvent{e.head("progress"), at.listed, at.resolved, at.finished, at.failed, at.moved, at.expected, int64(rate), at.moving, at.retry.full()})
	}
}

func (e *events) artifact(a engine.ArtifactReport, hint string) {
	if e != nil {
		e.write(artifactEvent{e.head("artifact"), artifactOf(a, e.hide), e.hide(hint)})
	}
}

// planned says where an artifact would go.
func (e *events) planned(a engine.ArtifactReport) {
	one := artifactOf(a, e.hide)
	one.Status, e.dry = statusPlanned, true
	e.write(artifactEvent{e.head("artifact"), one, ""})
}

func (e *events) notice(message string) {
	if e != nil {
		e.write(noticeEvent{e.head("notice"), e.hide(message)})
	}
}

func (e *events) failure(err error, hint string) {
	if e != nil {
		e.write(errorEvent{e.head("error"), e.hide(fact(err)), e.hide(hint)})
	}
}

// end is the last event of every run.
func (e *events) end(exitCode int) error {
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

// eventScreen is a screen for programs: where the run stands is an event, about
// once a second while it changes. What failed is said on standard error as well.
type eventScreen struct {
	events *events
	errors io.Writer
	pace   pace
	last   standing
}

func (s *eventScreen) interval() time.Duration { return time.Second }
func (s *eventScreen) close()                  {}

func (s *eventScreen) show(now time.Time, lines []string, at standing) {
	for _, line := range lines {
		fmt.Fprintln(s.errors, line)
	}
	if rate := s.pace.measure(now, at.moved); at != s.last {
		s.events.progress(at, rate)
	}
	s.last = at
}

// newEvents returns events whose first one says that a command starts.
func newEvents(w io.Writer, hide func(string) string, command string) (*events, error) {
	e := &events{w: w, hide: hide, now: time.Now}
	e.start(command)
	return e, e.err
}

// startEvents makes the events of a command take the place of lines.
func (u *ui) startEvents(command string) error {
	u.quiet = true
	e, err := newEvents(u.Stdout, u.secrets.hide, command)
	if err == nil {
		u.events = e
	}
	return err
}

// end tells those who listen for events how the run ended, and returns the exit
// code: that of the run, or of a run that could not be told of.
func (u *ui) end(code int) int {
	if u.events == nil {
		return code
	}
	if err := u.events.end(code); err != nil {
		u.print(errorMark + err.Error())
		return cmp.Or(code, int(statusFailed))
	}
	return code
}
