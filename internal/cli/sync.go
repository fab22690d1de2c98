package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/engine/sync"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

type syncCommand struct {
	References []string `arg:"" optional:"" name:"ref" help:"References to copy: REGISTRY/REPOSITORY[:TAG[,TAG...]][@DIGEST]; without a tag the whole repository; - reads references from standard input."`

	Spec   string `short:"f" name:"file" placeholder:"SPEC" help:"Copy what this mirror spec selects, to its targets, by its mappings."`
	Locked bool   `help:"Copy exactly what the lock of the spec pins; exit with code 4 if any of it is gone."`
	option.DestinationFlags
	option.PlatformFlags
	DryRun bool `help:"Print source -> target of each artifact and what would be overwritten; push nothing."`
	Verify bool `help:"Read back and hash every tag, manifest, blob and list of referrers after the push. Push again what is missing or wrong; exit with code 5 if that does not help."`
	option.EventFlags
	reportFlags

	option.ShardFlag
	option.TransferFlags
	option.SidesFlags

	part *shard.Part // of ShardFlag
}

func (c *syncCommand) Help() string {
	return `Writes nothing to disk: a blob is mounted if the registry already has it, and goes through memory otherwise. Flags that begin with --from- are for the registries of the sources, and flags that begin with --to- for those of the targets, as in oras cp; the others are for both.

Examples:

    oras-mirror sync -f mirror.yaml
    oras-mirror sync -f mirror.yaml --target dr --locked
    oras-mirror sync --target localhost:5000/mirror registry.k8s.io/pause:3.10
    oras-mirror sync -f mirror.yaml --shard 0/4
    oras-mirror sync -f mirror.yaml --report report.json
    oras-mirror sync -f mirror.yaml --metrics sync.prom
    oras-mirror sync -f mirror.yaml --only-failed report.json`
}

func (c *syncCommand) Run(ctx context.Context, u *console.Console) error {
	var err error
	if c.part, err = c.Part(); err != nil {
		return err
	}
	if err = c.expand(c.part); err != nil {
		return err
	}
	j, err := c.plan(ctx, u)
	if err != nil {
		return c.endEarly(ctx, u, "sync", c.filesInUse(j), err)
	}
	client, err := startSides(u, &c.RunFlags, j.from.spec, j.sides(&c.SidesFlags))
	if err != nil {
		return c.endEarly(ctx, u, "sync", c.filesInUse(j), err)
	}
	files, err := c.begin(u, "sync", client, c.filesInUse(j))
	if err != nil {
		return err
	}
	files.Document.Targets = text.Strings(j.to.targets)
	if c.OnlyFailed != "" && j.retry.isEmpty() {
		u.Say("no artifact failed in %s: nothing to do", c.OnlyFailed)
		return files.end(ctx, &engine.Report{Planned: true}, nil, nil)
	}
	report, err := c.run(ctx, u, j, files)
	sayEmpty(u, j.to.shard, report, err)
	if c.DryRun && err == nil {
		return files.end(ctx, report, err, errors.Join(printRoutes(u, report), c.sources().drift(u, report, concludeRoutes(u, report))))
	}
	return files.end(ctx, report, err, c.sources().drift(u, report, u.Conclude(console.SyncWords, report, err)))
}

// run runs the sync. The report is nil if an error comes before.
func (c *syncCommand) run(ctx context.Context, u *console.Console, j syncJob, files *records) (*engine.Report, error) {
	if !c.DryRun {
		resume := "run the same command to copy only what " + strings.Join(text.Strings(j.to.targets), ", ") + " still lacks"
		u.Advise(func(h *advice.Hints) { h.Resume = resume })
	}
	p := u.StartProgress()
	options := j.options(&c.TransferFlags, files.metrics.Progress(p), engine.RestoreOptions{DryRun: c.DryRun, Verify: c.Verify})
	options.OpenLayout = sourceOpener(ctx, u, j.from.spec)
	report, err := sync.Run(ctx, files.client, j.from.selections, options)
	p.Close()
	if err == nil {
		err = j.retry.check(u, c.OnlyFailed)
	}
	return report, err
}

// syncJob is a sync as the command line asks for it.
type syncJob struct {
	from  selected
	to    destination
	only  func(layout, reference string) bool // selects artifacts of layouts on disk; for --only-failed
	retry *retry                              // for --only-failed
}

// options returns o with the options that sync and its plan share.
func (j *syncJob) options(f *option.TransferFlags, p engine.Progress, o engine.RestoreOptions) engine.SyncOptions {
	o.Concurrency, o.Buffer, o.FailFast = f.Concurrency, int64(f.Buffer), f.FailFast
	o.Progress, o.Retry = p, j.retry.filter()
	o.Targets, o.Mapper, o.ExcludeReferrers = j.to.targets, j.to.mapper, f.Excluded()
	o.Shard, o.Trust = j.to.shard, j.from.trust
	return engine.SyncOptions{RestoreOptions: o, Among: j.only}
}

// sides returns the flags and the registries of both sides.
func (j *syncJob) sides(f *option.SidesFlags) option.Sides {
	return option.Sides{SidesFlags: f, Sources: j.from.hosts(), Targets: j.to.hosts()}
}

// readSync reads the sources and the targets of a sync.
func readSync(ctx context.Context, u *console.Console, s *sources, t *targets, sides *option.SidesFlags) (j syncJob, err error) {
	var stdin option.Stdin
	if err = cmp.Or(s.run.ClaimStdin(&stdin), sides.ClaimStdin(&stdin)); err == nil && slices.Contains(s.references, "-") {
		err = stdin.Claim("the list of references")
	}
	if err == nil {
		err = checkTargetFlag(s, t)
	}
	if err != nil {
		return j, err
	}
	if j.from, err = s.read(ctx, u); err != nil {
		return j, err
	}
	j.to, err = t.read()
	return j, err
}

// checkTargetFlag refuses a target in place of the last reference, as in cp.
func checkTargetFlag(s *sources, t *targets) error {
	if len(t.Targets) > 0 || len(s.references) == 0 {
		return nil
	}
	last := s.references[len(s.references)-1]
	_, notReference := config.ParseReference(last)
	_, notTarget := config.ParseTarget(last)
	switch {
	case notTarget != nil || filetype.LooksLikePath(last):
		return nil
	case notReference != nil:
		return exit.Usage(advice.DidYouMean("--target "+last), "%q is a registry, and not what to copy", last)
	case s.file == "" && len(s.references) > 1:
		return exit.Usage(advice.DidYouMean("--target "+last), "no target to sync to")
	}
	return nil
}

// sources returns the sources that the command line names.
func (c *syncCommand) sources() *sources {
	return &sources{verb: "sync", references: c.References, file: c.Spec, locked: c.Locked, retry: c.OnlyFailed != "", part: c.part,
		PlatformFlags: c.PlatformFlags, ReferrerFlags: c.ReferrerFlags, run: &c.RunFlags}
}

// plan reads the sources, the targets and the report that the command line names.
func (c *syncCommand) plan(ctx context.Context, u *console.Console) (j syncJob, err error) {
	if err = c.checkDryRun(c.DryRun); err != nil {
		return j, err
	}
	j, err = readSync(ctx, u, c.sources(), &targets{verb: "sync", file: c.Spec, part: c.part, DestinationFlags: c.DestinationFlags}, &c.SidesFlags)
	if err != nil || c.OnlyFailed == "" {
		return j, err
	}
	document, err := report.Read(c.OnlyFailed, "sync")
	if err != nil {
		return j, err
	}
	j.retry = retryOf(document)
	j.retry.keep(j.to.shard)
	j.only, err = c.sources().pickFailed(&j.from, c.OnlyFailed, document)
	return j, err
}

// filesInUse lists the files that a sync reads and writes, as far as they are known.
func (c *syncCommand) filesInUse(j syncJob) []overwrite.File {
	return slices.Concat(c.sources().filesRead(j.from.spec), c.SidesFlags.FilesRead(), c.FilesWritten())
}
