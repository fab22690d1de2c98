package report

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/atomicfile"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// File is the report file of a run. Without a path it writes nothing.
type File struct {
	Document Document

	path   string
	began  time.Time
	hide   func(string) string
	device bool    // path is a device or a pipe: it is written to, not replaced
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
	r := &File{path: path, began: time.Now(), hide: o.Hide, events: o.Events}
	r.Document = Document{APIVersion: config.APIVersion, Kind: filetype.ReportKind, Command: command, Version: readVersion(), Started: r.began.UTC()}
	if r.path == "" {
		return r, nil
	}
	if r.path == "-" {
		return nil, exit.Usage("choose a file", "--report cannot write to standard output")
	}
	if overwrite.IsStdout(r.path) && o.StdoutClosed {
		return nil, exit.ErrStdoutClosed
	}
	if err := overwrite.Check("--report", r.path, filetype.Report, o.Used); err != nil {
		return nil, err
	}
	if target, err := filepath.EvalSymlinks(r.path); err == nil {
		r.path = target // keep the link, replace its target
	}
	switch info, err := os.Stat(r.path); {
	case err == nil && info.IsDir():
		return nil, exit.Usage("choose a file", "--report %s is a directory", path)
	case err == nil && !info.Mode().IsRegular():
		r.device = true
		return r, nil
	}
	probe, err := atomicfile.Create(r.path)
	if err != nil {
		return nil, err
	}
	return r, probe.Close()
}

// Write replaces the report file at once, whatever ended the run; done is nil if the run
// ended before it began.
func (r *File) Write(ctx context.Context, done *engine.Report, runErr error) error {
	r.fill(ctx, done, runErr)
	if r.events != nil {
		r.events.totals = &r.Document
	}
	if r.path == "" {
		return nil
	}
	if r.device {
		return r.writeThrough()
	}
	f, err := atomicfile.Create(r.path)
	if err != nil {
		return err
	}
	if err = text.WriteJSON(f, &r.Document); err == nil {
		err = f.Commit()
	}
	if err != nil {
		err = fmt.Errorf("%s: cannot write the report: %w", r.path, err)
	}
	return errors.Join(err, f.Close())
}

// writeThrough writes to a device or a pipe.
func (r *File) writeThrough() error {
	f, err := os.OpenFile(r.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err = errors.Join(text.WriteJSON(f, &r.Document), f.Close()); err != nil {
		err = fmt.Errorf("%s: cannot write the report: %w", r.path, err)
	}
	return err
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
	d.Totals = Totals{Artifacts: len(done.Artifacts), Referrers: done.Referrers, Expected: done.Expected, MovedBytes: done.Moved, SharedBytes: done.Shared, ThereBytes: done.There, LeftBytes: done.Left, LeftBlobs: done.LeftBlobs}
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
		if one.Overwritten != "" {
			d.Totals.Overwritten++
		}
		d.Artifacts = append(d.Artifacts, one)
	}
}
