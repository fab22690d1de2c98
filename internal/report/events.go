package report

import (
	"fmt"
	"io"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/progress"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/internal/version"
)

// Events writes the events of a run, one JSON object a line, as in docs/events.md. A nil
// Events ignores all calls but Planned and End, which need one. Events is not for concurrent
// use.
type Events struct {
	w      io.Writer
	hide   func(string) string
	totals *Document // set when the run has ended
	dry    bool      // the run only planned
	err    error     // the first error of a write; nothing is written after it
}

// NewEvents returns events on w, and writes the first one: that a command starts.
func NewEvents(w io.Writer, hide func(string) string, command string) (*Events, error) {
	e := &Events{w: w, hide: hide}
	e.write(startEvent{head("start"), command, version.Read().Version})
	return e, e.err
}

// eventHead begins every event, so that a line says what it is without the lines before it.
type eventHead struct {
	Header
	Event string    `json:"event"`
	Time  time.Time `json:"time"`
}

// The events, each with its name in docs/events.md.
type (
	startEvent struct {
		eventHead
		Command string `json:"command"`
		Version string `json:"version"`
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
	listeningEvent struct {
		eventHead
		URL    string        `json:"url"`
		Totals listingTotals `json:"totals"`
	}
	requestEvent struct {
		eventHead
		Request
	}
	endEvent struct {
		eventHead
		ExitCode        int      `json:"exitCode"`
		DurationSeconds float64  `json:"durationSeconds"`
		Output          string   `json:"output,omitempty"`
		Parts           []Part   `json:"parts,omitempty"`
		Targets         []string `json:"targets,omitempty"`
		Incomplete      bool     `json:"incomplete,omitempty"`
		Totals          Totals   `json:"totals"`
	}
)

// listingTotals counts what serve lists.
type listingTotals struct {
	Artifacts    int `json:"artifacts"`
	Repositories int `json:"repositories"`
}

// Request is a request that serve answered.
type Request struct {
	Client          string  `json:"client"`
	User            string  `json:"user,omitempty"`
	Method          string  `json:"method"`
	URI             string  `json:"uri"`
	StatusCode      int     `json:"statusCode"`
	SentBytes       int64   `json:"sentBytes"` // of the body
	DurationSeconds float64 `json:"durationSeconds"`
	Error           string  `json:"error,omitempty"`
}

// statusPlanned is the status of an artifact with --dry-run.
const statusPlanned = "planned"

// eventKind is the kind of each event.
const eventKind = "Event"

func head(name string) eventHead {
	return eventHead{NewHeader(eventKind), name, time.Now().UTC().Truncate(time.Millisecond)}
}

func (e *Events) write(event any) {
	if e.err != nil {
		return
	}
	if err := text.NewEncoder(e.w).Encode(event); err != nil {
		e.err = fmt.Errorf("write the events: %w", err)
	}
}

// Progress writes the state of the run; rate is in bytes per second.
func (e *Events) Progress(at progress.State, rate float64) {
	if e != nil {
		e.write(progressEvent{head("progress"), at.Listed, at.Resolved, at.Finished, at.Failed, at.Moved, at.Expected, int64(rate), at.Moving, at.Retry.Full()})
	}
}

// Artifact writes how an artifact ended, with the hint for its error.
func (e *Events) Artifact(a engine.ArtifactReport, hint string) {
	if e != nil {
		e.write(artifactEvent{head("artifact"), artifactOf(a, e.hide), e.hide(hint)})
	}
}

// Planned writes the artifact of a run with --dry-run.
func (e *Events) Planned(a engine.ArtifactReport) {
	one := artifactOf(a, e.hide)
	one.Status, e.dry = statusPlanned, true
	e.write(artifactEvent{head("artifact"), one, ""})
}

// Notice writes a note.
func (e *Events) Notice(message string) {
	if e != nil {
		e.write(noticeEvent{head("notice"), e.hide(message)})
	}
}

// Failure writes an error of the run as a whole.
func (e *Events) Failure(err error, hint string) {
	if e != nil {
		e.write(errorEvent{head("error"), e.hide(advice.Fact(err)), e.hide(hint)})
	}
}

// Listening tells where serve listens, and what it has.
func (e *Events) Listening(url string, artifacts, repositories int) {
	if e != nil {
		e.write(listeningEvent{head("listening"), url, listingTotals{artifacts, repositories}})
	}
}

// Request tells of a request that serve answered.
func (e *Events) Request(r Request) {
	if e != nil {
		r.URI, r.Error = e.hide(r.URI), e.hide(r.Error)
		e.write(requestEvent{head("request"), r})
	}
}

// End writes the last event of a run and returns the first error of a write.
func (e *Events) End(exitCode int) error {
	one := endEvent{eventHead: head("end"), ExitCode: exitCode}
	if d := e.totals; d != nil {
		one.DurationSeconds, one.Output, one.Parts, one.Targets, one.Incomplete, one.Totals = d.DurationSeconds, d.Output, d.Parts, d.Targets, d.Incomplete, d.Totals
	}
	if e.dry {
		one.Totals.Copied = 0
	}
	e.write(one)
	return e.err
}
