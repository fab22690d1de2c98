package cli

import (
	"context"
	"errors"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/metrics"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/internal/report"
)

// reportFlags name the report and the metrics to write, and the report to retry from.
type reportFlags struct {
	Report string `group:"Run" placeholder:"FILE" help:"Write a JSON report of every artifact to this file, even if the run fails."`
	metricsFlags
	OnlyFailed string `group:"Run" placeholder:"REPORT" help:"Retry only the artifacts that failed in this report."`

	shard *shard.Part // of the run; nil for the whole plan
}

// metricsFlags name the metrics to write.
type metricsFlags struct {
	Metrics string `group:"Run" placeholder:"FILE" help:"Write the result of the run to this file, as metrics for Prometheus, even if the run fails; the time of the last success stays."`
}

// expand expands the names of the files, and makes them name the shard.
func (f *reportFlags) expand(part *shard.Part) (err error) {
	f.shard = part
	if f.Report, err = expandPath("--report", f.Report, part); err != nil {
		return err
	}
	if f.Metrics, err = expandPath("--metrics", f.Metrics, part); err != nil {
		return err
	}
	f.OnlyFailed, err = expandPath("--only-failed", f.OnlyFailed, part)
	return err
}

// checkDryRun refuses files with the result of a run that copies nothing.
func (f *reportFlags) checkDryRun(dry bool) error {
	switch {
	case dry && f.Report != "":
		return exit.Usage("", "--report cannot be used with --dry-run, which pushes nothing")
	case dry && f.Metrics != "":
		return exit.Usage("", "--metrics cannot be used with --dry-run, which pushes nothing")
	}
	return nil
}

// records are the files that tell how a run ended.
type records struct {
	*report.File
	metrics *metrics.File
	client  *registry.Client // nil if the run ended before it had one
}

// begin makes the files that tell how the run ends. used are the files that they must not
// replace.
func (f *reportFlags) begin(u *console.Console, command string, client *registry.Client, used []overwrite.File) (*records, error) {
	file, err := f.reportFile(u, command, used)
	if err != nil {
		return nil, err
	}
	measured, err := f.metricsFile(u, command, used)
	if err != nil {
		return nil, err
	}
	return &records{file, measured, client}, nil
}

// reportFile makes the file of the report.
func (f *reportFlags) reportFile(u *console.Console, command string, used []overwrite.File) (*report.File, error) {
	used = append(used[:len(used):len(used)], overwrite.File{What: "the file of --metrics", Path: f.Metrics})
	file, err := report.New(f.Report, command, report.Options{Hide: u.Secrets.Hide, Events: u.Events, Used: used, StdoutClosed: u.StdoutClosed})
	if err != nil {
		return nil, err
	}
	if f.shard != nil {
		file.Document.Shard = f.shard.String()
	}
	return file, nil
}

// metricsFile makes the file of the metrics.
func (f *reportFlags) metricsFile(u *console.Console, command string, used []overwrite.File) (*metrics.File, error) {
	used = append(used[:len(used):len(used)], overwrite.File{What: "the file of --report", Path: f.Report}, overwrite.File{What: "the file of --only-failed", Path: f.OnlyFailed})
	return metrics.New(f.Metrics, metrics.Options{Command: command, Shard: f.shard, Retry: f.OnlyFailed != "", Used: used, StdoutClosed: u.StdoutClosed})
}

// end writes the files. done is nil if the run did not begin, runErr is its error, and
// concluded what is left of that to print. The error has all that decide the exit code.
func (r *records) end(ctx context.Context, done *engine.Report, runErr, concluded error) error {
	err := errors.Join(concluded, r.Write(ctx, done, runErr))
	o := metrics.Outcome{Report: done, Committed: runErr == nil, ExitCode: exit.Code(exit.Reason(ctx, err))}
	if r.client != nil {
		o.Requests = r.client.Requests()
	}
	return errors.Join(err, r.metrics.Write(o))
}

// endEarly writes the files of a run that failed before it began: older ones that stayed would
// describe another run. The report to retry from is kept. A file that cannot be written is not
// worth an error then.
func (f *reportFlags) endEarly(ctx context.Context, u *console.Console, command string, used []overwrite.File, err error) error {
	if f.Report != "" && f.Report != f.OnlyFailed {
		if file, reportErr := f.reportFile(u, command, used); reportErr == nil {
			err = errors.Join(err, file.Write(ctx, nil, err))
		}
	}
	if file, metricsErr := f.metricsFile(u, command, used); metricsErr == nil {
		err = errors.Join(err, file.Write(metrics.Outcome{ExitCode: exit.Code(exit.Reason(ctx, err))}))
	}
	return err
}
