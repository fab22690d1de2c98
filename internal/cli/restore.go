package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

type restoreCommand struct {
	Target string `arg:"" optional:"" help:"Restore to REGISTRY[/NAMESPACE], or to the target of the spec with this name; default: all targets of the spec. REGISTRY/REPOSITORY:TAG names the only artifact of a layout without names."`

	Spec string   `short:"f" name:"file" placeholder:"SPEC" help:"Use the mappings, targets and registry settings of this mirror spec, and check signatures as its policies demand."`
	Only []string `sep:"none" placeholder:"PATTERN" help:"Restore only artifacts that match this glob: [REGISTRY/]REPOSITORY[:TAG]. Repeatable."`
	option.DestinationFlags
	DryRun bool `help:"Print source -> target of each artifact and what would be overwritten; push nothing."`
	Verify bool `help:"Read back and hash every tag, manifest, blob and list of referrers after the push. Push again what is missing or wrong; exit with code 5 if that does not help."`
	option.InputFlags
	option.EventFlags
	reportFlags

	option.ShardFlag
	option.TransferFlags

	part    *shard.Part // of ShardFlag
	lacking error       // exit.Partial if the inputs lack parts of a bundle
}

func (c *restoreCommand) Help() string {
	return `Examples:

    oras-mirror restore -f mirror.yaml --input bundle.tgz
    oras-mirror restore --input bundle.tgz registry.example.com/mirror
    oras-mirror restore -f mirror.yaml --target dr --input bundle.tgz
    oras-mirror restore --input ./mirror --only 'registry.k8s.io/**' localhost:5000
    oras-mirror restore --input ./mirror --map docker.io/library=dockerhub localhost:5000
    oras-mirror restore --input 'bundle.*.tgz' localhost:5000/mirror
    oras-mirror restore --input monday.tgz --input tuesday.tgz localhost:5000/mirror
    cat bundle.tgz | oras-mirror restore --input - localhost:5000/mirror`
}

func (c *restoreCommand) Run(ctx context.Context, u *console.Console) error {
	var err error
	if c.part, err = c.Part(); err != nil {
		return err
	}
	if err = c.expand(c.part); err != nil {
		return err
	}
	r, err := c.plan(u)
	if err != nil {
		return c.endEarly(ctx, u, "restore", c.filesInUse(r), err)
	}
	client, err := start(u, &c.RunFlags, r.spec, r.hosts())
	if err != nil {
		return c.endEarly(ctx, u, "restore", c.filesInUse(r), err)
	}
	files, err := c.begin(u, "restore", client, c.filesInUse(r))
	if err != nil {
		return err
	}
	files.Document.Input, files.Document.Targets = c.Name(), text.Strings(r.targets)
	if c.OnlyFailed != "" && r.retry.isEmpty() {
		u.Say("no artifact failed in %s: nothing to do", c.OnlyFailed)
		return files.end(ctx, &engine.Report{Planned: true}, nil, nil)
	}
	report, err := c.run(ctx, u, r, files)
	sayEmpty(u, r.shard, report, err)
	if c.DryRun && err == nil {
		return files.end(ctx, report, err, errors.Join(printRoutes(u, report), cmp.Or(concludeRoutes(u, report), c.lacking)))
	}
	return files.end(ctx, report, err, cmp.Or(u.Conclude(console.RestoreWords, report, err), c.lacking))
}

// run copies the artifacts. The report is nil if the copy did not start.
func (c *restoreCommand) run(ctx context.Context, u *console.Console, r restoreJob, files *records) (*engine.Report, error) {
	if !c.DryRun {
		resume := "run the same command to push only what " + strings.Join(text.Strings(r.targets), ", ") + " still lacks"
		u.Advise(func(h *advice.Hints) { h.Resume = resume })
	}
	buckets, err := openBuckets(ctx, u, r.spec)
	if err != nil {
		return nil, err
	}
	in, err := c.Open(u.Stdin, u.Spooling, buckets)
	if err != nil {
		return nil, err
	}
	c.lacking = sayFaults(u, in)
	p := u.StartProgress()
	report, err := restore.Run(ctx, files.client, in, engine.RestoreOptions{
		Verify:           c.Verify,
		Retry:            r.retry.filter(),
		Concurrency:      c.Concurrency,
		Buffer:           int64(c.Buffer),
		Progress:         files.metrics.Progress(p),
		Targets:          r.targets,
		Mapper:           r.mapper,
		Only:             c.Only,
		ExcludeReferrers: c.Excluded(),
		FailFast:         c.FailFast,
		DryRun:           c.DryRun,
		TempDir:          c.TempDir,
		Tag:              r.tag,
		Shard:            r.shard,
		Trust:            r.trust,
	})
	p.Close()
	c.lacking = cmp.Or(c.lacking, sayLateFaults(u, in))
	if err = errors.Join(err, in.Close()); err == nil {
		err = r.retry.check(u, c.OnlyFailed)
	}
	return report, err
}

// restoreJob holds what a command line asks for.
type restoreJob struct {
	destination
	retry *retry // with --only-failed
}

// plan reads everything that the command line names, and writes nothing.
func (c *restoreCommand) plan(u *console.Console) (r restoreJob, err error) {
	if path := c.archiveElsewhere(); len(c.Input) == 0 && path != "" {
		return r, exit.Usage(advice.DidYouMean("--input "+path), "missing --input")
	}
	var s option.Stdin
	if err := errors.Join(c.InputFlags.Claim(&s, u.StdinTerminal), c.ClaimStdin(&s)); err != nil {
		return r, err
	}
	if err := c.checkDryRun(c.DryRun); err != nil {
		return r, err
	}
	targets := targets{argument: c.Target, file: c.Spec, only: c.Only, ofStdin: c.HasStdin(), part: c.part, DestinationFlags: c.DestinationFlags}
	r.destination, err = targets.read()
	if err != nil || c.OnlyFailed == "" {
		return r, err
	}
	r.retry, err = c.onlyFailed()
	return r, err
}

// filesInUse lists the files that a restore reads and writes, as far as they are known.
func (c *restoreCommand) filesInUse(r restoreJob) []overwrite.File {
	return slices.Concat(overwrite.SpecFiles(c.Spec, r.spec), lockRead(c.part, c.Spec), c.FilesRead(), c.FilesWritten(), inputFiles(&c.InputFlags))
}

// archiveElsewhere returns an archive or a directory that was named without --input.
func (c *restoreCommand) archiveElsewhere() string {
	switch {
	case filetype.LooksLikePath(c.Target):
		return c.Target
	case c.Spec != "" && filetype.Guess(c.Spec) == filetype.Layout:
		return c.Spec
	}
	return ""
}

// printRoutes prints the target of each artifact, as lines or as events.
func printRoutes(u *console.Console, report *engine.Report) error {
	for _, a := range report.Artifacts {
		if a.Err != nil {
			continue
		}
		if u.Events != nil {
			u.Events.Planned(a)
			continue
		}
		line := fmt.Sprintf("%s -> %s", a.Reference, a.Target)
		if text := console.OverwrittenText(a); text != "" {
			line += " (" + text + ")"
		}
		if _, err := fmt.Fprintln(u.Stdout, text.Printable(line)); err != nil {
			return err
		}
	}
	return nil
}

// concludeRoutes prints the artifacts that cannot be restored, and returns the exit code.
func concludeRoutes(u *console.Console, report *engine.Report) error {
	failures := report.Failures()
	for _, f := range failures {
		u.Fail(console.ErrorOf(f))
	}
	switch len(failures) {
	case 0:
		return nil
	case len(report.Artifacts):
		return exit.Failed
	}
	return exit.Partial
}
