package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/atomicfile"
)

// reportFlags are about the report of a run.
type reportFlags struct {
	Report     string `group:"Run" placeholder:"FILE" help:"Write a JSON report of every artifact to this file, even if the run fails."`
	OnlyFailed string `group:"Run" placeholder:"REPORT" help:"Retry only the artifacts that failed in this report."`
}

// reportKind is what the document calls itself.
const reportKind = "Report"

// reportDocument is schemas/report.schema.json.
type reportDocument struct {
	APIVersion      string           `json:"apiVersion"`
	Kind            string           `json:"kind"`
	Command         string           `json:"command"` // backup or restore
	Version         reportVersion    `json:"version"`
	Started         time.Time        `json:"started"`
	DurationSeconds float64          `json:"durationSeconds"`
	Input           string           `json:"input,omitempty"`
	Output          string           `json:"output,omitempty"`
	Targets         []string         `json:"targets,omitempty"`
	Planned         bool             `json:"planned"`              // false: the run ended before all artifacts were known
	Incomplete      bool             `json:"incomplete,omitempty"` // the output stands beside the bundle that it does not replace
	Error           string           `json:"error,omitempty"`      // of the run as a whole
	Artifacts       []reportArtifact `json:"artifacts"`
	Totals          reportTotals     `json:"totals"`
}

type reportVersion struct {
	OrasMirror string `json:"orasMirror"`
	Go         string `json:"go"`
	OrasGo     string `json:"orasGo"`
}

type reportArtifact struct {
	Reference string        `json:"reference"`
	Layout    string        `json:"layout,omitempty"`
	Target    string        `json:"target,omitempty"`
	Digest    digest.Digest `json:"digest,omitempty"`
	Pinned    bool          `json:"pinned,omitempty"`
	// Overwritten is the digest that the tag of the target had before.
	Overwritten digest.Digest `json:"overwritten,omitempty"`
	Bytes       int64         `json:"bytes"`
	Referrers   int           `json:"referrers"`
	Expected    int           `json:"referrersExpected"`
	Status      string        `json:"status"`
	Operation   string        `json:"operation,omitempty"`
	Error       string        `json:"error,omitempty"`
}

// What became of an artifact.
const (
	statusCopied    = "copied"
	statusUnchanged = "unchanged"
	statusNotCopied = "failed"
)

type reportTotals struct {
	Artifacts   int   `json:"artifacts"`
	Copied      int   `json:"copied"`
	Unchanged   int   `json:"unchanged"`
	Overwritten int   `json:"overwritten,omitempty"`
	Failed      int   `json:"failed"`
	Referrers   int   `json:"referrers"`
	Expected    int   `json:"referrersExpected"`
	MovedBytes  int64 `json:"movedBytes"`
	SharedBytes int64 `json:"sharedBytes"`
	ThereBytes  int64 `json:"thereBytes"`
}

// reporter writes the report of a run. One without a path writes none.
type reporter struct {
	path     string
	document reportDocument
	began    time.Time
	hide     func(string) string
	device   bool    // or a pipe: written to, and not replaced
	events   *events // that end with the totals; nil: none
}

// reportOptions are what a report needs of its run.
type reportOptions struct {
	hide         func(string) string
	events       *events     // nil: none
	used         []fileInUse // files that the report must not replace
	stdoutClosed bool
}

// newReporter begins a report. That it cannot be written should be known before a
// run that takes hours, and not after. It replaces none of the files in use.
func newReporter(path, command string, o reportOptions) (*reporter, error) {
	r := &reporter{path: path, began: time.Now(), hide: o.hide, events: o.events}
	r.document = reportDocument{APIVersion: config.APIVersion, Kind: reportKind, Command: command, Version: readReportVersion(), Started: r.began.UTC()}
	if r.path == "" {
		return r, nil
	}
	if r.path == "-" {
		return nil, usage("name a file", "--report is not written to standard output")
	}
	if isStdout(r.path) && o.stdoutClosed {
		return nil, errClosed
	}
	if err := mayReplace("--report", r.path, aReport, o.used); err != nil {
		return nil, err
	}
	if target, err := filepath.EvalSymlinks(r.path); err == nil {
		r.path = target // a link stays one
	}
	switch info, err := os.Stat(r.path); {
	case err == nil && info.IsDir():
		return nil, usage("name a file", "--report %s is a directory", path)
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

func (f *reportFlags) reporter(u *ui, command string, used []fileInUse) (*reporter, error) {
	return newReporter(f.Report, command, reportOptions{hide: u.secrets.hide, events: u.events, used: used, stdoutClosed: u.StdoutClosed})
}

// refused writes the report of a run that ended before it began: an old one that
// stayed would tell of another run. What was to be done again is kept.
func (f *reportFlags) refused(ctx context.Context, u *ui, command string, used []fileInUse, err error) error {
	if f.Report == "" || f.Report == f.OnlyFailed {
		return err
	}
	r, reportErr := f.reporter(u, command, used)
	if reportErr != nil {
		return err
	}
	return errors.Join(err, r.write(ctx, nil, err))
}

// write puts the report in place, all at once.
func (r *reporter) write(ctx context.Context, done *engine.Report, runErr error) error {
	r.fill(ctx, done, runErr)
	if r.events != nil {
		r.events.totals = &r.document
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
	if err = printJSON(f, &r.document); err == nil {
		err = f.Commit()
	}
	if err != nil {
		err = fmt.Errorf("%s: the report cannot be written: %w", r.path, err)
	}
	return errors.Join(err, f.Close())
}

// writeThrough writes to what is no file.
func (r *reporter) writeThrough() error {
	f, err := os.OpenFile(r.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err = errors.Join(printJSON(f, &r.document), f.Close()); err != nil {
		err = fmt.Errorf("%s: the report cannot be written: %w", r.path, err)
	}
	return err
}

func (r *reporter) fill(ctx context.Context, done *engine.Report, runErr error) {
	d := &r.document
	d.DurationSeconds = time.Since(r.began).Seconds()
	d.Artifacts = []reportArtifact{}
	if runErr != nil {
		d.Error = r.hide(whatEnded(ctx, runErr).Error())
	}
	if done == nil {
		return
	}
	d.Planned, d.Incomplete = done.Planned, done.Incomplete
	if d.Targets == nil && done.Output != "" {
		d.Output = done.Output
	}
	d.Totals = reportTotals{Artifacts: len(done.Artifacts), Referrers: done.Referrers, Expected: done.Expected, MovedBytes: done.Moved, SharedBytes: done.Shared, ThereBytes: done.There}
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

// artifactOf makes the part of a report or an event about an artifact.
func artifactOf(a engine.ArtifactReport, hide func(string) string) reportArtifact {
	one := reportArtifact{Reference: a.Reference, Layout: a.Layout, Target: a.Target, Digest: a.Digest, Pinned: a.Pinned, Overwritten: a.Overwritten,
		Bytes: a.Bytes, Referrers: a.Referrers, Expected: a.Expected, Status: statusCopied}
	switch {
	case a.Err != nil:
		one.Status, one.Operation, one.Error = statusNotCopied, a.Operation(), hide(a.Err.Error())
	case a.Unchanged:
		one.Status = statusUnchanged
	}
	return one
}

// readReport reads a report that a run of the same command wrote.
func readReport(path, command string) (*reportDocument, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("", "%v", err)
	}
	d, err := parseReport(data)
	switch {
	case err != nil:
		return nil, usage("a report is what --report writes", "%s: %v", path, err)
	case d.Command != command:
		return nil, usage("", "%s is the report of a %s", path, d.Command)
	case !d.Planned:
		return nil, usage("run the whole again: what is there already is not fetched or pushed twice",
			"%s: that run ended before it knew all artifacts", path)
	}
	return d, nil
}

func parseReport(data []byte) (*reportDocument, error) {
	var d reportDocument
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("is no report: %w", err)
	}
	if d.APIVersion != config.APIVersion || d.Kind != reportKind {
		return nil, fmt.Errorf("is no report of %s", config.APIVersion)
	}
	return &d, nil
}

// failed lists what the run did not get whole.
func (d *reportDocument) failed() []reportArtifact {
	var failed []reportArtifact
	for _, a := range d.Artifacts {
		if a.Status == statusNotCopied {
			failed = append(failed, a)
		}
	}
	return failed
}

// readReportVersion says what made a report.
func readReportVersion() reportVersion {
	info := readVersion()
	v := reportVersion{OrasMirror: info.Version, Go: info.Go, OrasGo: "unknown"}
	if version := info.Libraries["oras.land/oras-go/v2"]; version != "" {
		v.OrasGo = version
	}
	return v
}
