package report

import (
	"context"
	"io"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// File is the report file of a run. Without a path it writes nothing.
type File struct {
	Document Document

	output *overwrite.Output // nil without a path
	began  time.Time
	hide   func(string) string
	events *Events // get the totals; nil without events
}

// Options describe the run of a report.
type Options struct {
	Hide         func(string) string // masks secrets
	Events       *Events             // end with the totals of the report; nil without events
	Used         []overwrite.File    // files that the report must not replace
	StdoutClosed bool
}

// New starts a report. It fails if the report cannot be written at path, so that the user
// learns it before a run of hours and not after it.
func New(path, command string, o Options) (*File, error) {
	r := &File{began: time.Now(), hide: o.Hide, events: o.Events}
	r.Document = newDocument(command)
	r.Document.Started = r.began.UTC()
	if path == "" {
		return r, nil
	}
	var err error
	r.output, err = overwrite.NewOutput(path, overwrite.OutputOptions{Option: "--report", What: "report", Written: filetype.Report, Used: o.Used, StdoutClosed: o.StdoutClosed})
	return r, err
}

// Write replaces the report file at once, whatever ended the run; done is nil if the run
// ended before it began.
func (r *File) Write(ctx context.Context, done *engine.Report, runErr error) error {
	r.fill(ctx, done, runErr)
	if r.events != nil {
		r.events.totals = &r.Document
	}
	if r.output == nil {
		return nil
	}
	return r.output.Replace(func(w io.Writer) error { return text.WriteJSON(w, &r.Document) })
}

// fill adds the result of the run to the document.
func (r *File) fill(ctx context.Context, done *engine.Report, runErr error) {
	d := &r.Document
	d.DurationSeconds = time.Since(r.began).Seconds()
	d.Artifacts = []Artifact{}
	if runErr != nil {
		d.Error = r.hide(exit.Reason(ctx, runErr).Error())
	}
	if done == nil {
		return
	}
	d.Planned, d.Incomplete = done.Planned, done.Incomplete
	if d.Targets == nil && done.Output != "" {
		d.Output = done.Output
	}
	for _, p := range done.Parts {
		d.Parts = append(d.Parts, Part{p.Path, p.Size})
	}
	d.Totals = Totals{Artifacts: len(done.Artifacts), Referrers: done.Referrers, Expected: done.Expected, MovedBytes: done.Moved, SharedBytes: done.Shared, ExistingBytes: done.There, BaseBytes: done.Left, BaseBlobs: done.LeftBlobs}
	for _, a := range done.Artifacts {
		one := artifactOf(a, r.hide)
		switch one.Status {
		case statusCopied:
			d.Totals.Copied++
		case statusUnchanged:
			d.Totals.Unchanged++
		default:
			d.Totals.Failed++
		}
		if one.Previous != "" {
			d.Totals.Overwritten++
		}
		d.Artifacts = append(d.Artifacts, one)
	}
}
