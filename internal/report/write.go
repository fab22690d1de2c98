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

// File writes the report of a run. One without a path writes none.
type File struct {
	path     string
	Document Document
	began    time.Time
	hide     func(string) string
	device   bool    // or a pipe: written to, and not replaced
	events   *Events // that end with the totals; nil: none
}

// Options are what a report needs of its run.
type Options struct {
	Hide         func(string) string
	Events       *Events          // nil: none
	Used         []overwrite.File // files that the report must not replace
	StdoutClosed bool
}

// New begins a report. That it cannot be written should be known before a
// run that takes hours, and not after. It replaces none of the files in use.
func New(path, command string, o Options) (*File, error) {
	r := &File{path: path, began: time.Now(), hide: o.Hide, events: o.Events}
	r.Document = Document{APIVersion: config.APIVersion, Kind: filetype.ReportKind, Command: command, Version: readReportVersion(), Started: r.began.UTC()}
	if r.path == "" {
		return r, nil
	}
	if r.path == "-" {
		return nil, exit.Usage("name a file", "--report is not written to standard output")
	}
	if overwrite.IsStdout(r.path) && o.StdoutClosed {
		return nil, exit.ErrStdoutClosed
	}
	if err := overwrite.Check("--report", r.path, filetype.Report, o.Used); err != nil {
		return nil, err
	}
	if target, err := filepath.EvalSymlinks(r.path); err == nil {
		r.path = target // a link stays one
	}
	switch info, err := os.Stat(r.path); {
	case err == nil && info.IsDir():
		return nil, exit.Usage("name a file", "--report %s is a directory", path)
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

// Write puts the report in place, all at once.
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
		err = fmt.Errorf("%s: the report cannot be written: %w", r.path, err)
	}
	return errors.Join(err, f.Close())
}

// writeThrough writes to what is no file.
func (r *File) writeThrough() error {
	f, err := os.OpenFile(r.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err = errors.Join(text.WriteJSON(f, &r.Document), f.Close()); err != nil {
		err = fmt.Errorf("%s: the report cannot be written: %w", r.path, err)
	}
	return err
}

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
	d.Totals = Totals{Artifacts: len(done.Artifacts), Referrers: done.Referrers, Expected: done.Expected, MovedBytes: done.Moved, SharedBytes: done.Shared, ThereBytes: done.There}
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
