package cli

import (
	"context"
	"errors"

	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/internal/report"
)

// reportFlags name the report to write, and the one to retry from.
type reportFlags struct {
	Report     string `group:"Run" placeholder:"FILE" help:"Write a JSON report of every artifact to this file, even if the run fails."`
	OnlyFailed string `group:"Run" placeholder:"REPORT" help:"Retry only the artifacts that failed in this report."`

	shard string // of the run, such as 1/4; "" for the whole plan
}

// expand expands the names of the reports, and makes the report name its shard.
func (f *reportFlags) expand(part *shard.Part) (err error) {
	if part != nil {
		f.shard = part.String()
	}
	if f.Report, err = expandPath("--report", f.Report, part); err != nil {
		return err
	}
	f.OnlyFailed, err = expandPath("--only-failed", f.OnlyFailed, part)
	return err
}

// reportFile makes the file of the report.
func (f *reportFlags) reportFile(u *console.Console, command string, used []overwrite.File) (*report.File, error) {
	file, err := report.New(f.Report, command, report.Options{Hide: u.Secrets.Hide, Events: u.Events, Used: used, StdoutClosed: u.StdoutClosed})
	if err != nil {
		return nil, err
	}
	file.Document.Shard = f.shard
	return file, nil
}

// reportEarly writes the report of a run that failed before it began: an older report that
// stayed would describe another run. The report to retry from is kept.
func (f *reportFlags) reportEarly(ctx context.Context, u *console.Console, command string, used []overwrite.File, err error) error {
	if f.Report == "" || f.Report == f.OnlyFailed {
		return err
	}
	file, reportErr := f.reportFile(u, command, used)
	if reportErr != nil {
		return err
	}
	return errors.Join(err, file.Write(ctx, nil, err))
}
