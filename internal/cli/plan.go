package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/engine/sync"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/store"
)

type planCommand struct {
	References []string `arg:"" optional:"" name:"ref" help:"References to plan a backup of; with --input, the target to plan a restore to."`

	Spec     string          `short:"f" name:"file" placeholder:"SPEC" help:"Plan with this mirror spec."`
	Output   string          `short:"o" placeholder:"PATH" help:"Plan a backup to this output, counting what it already holds; default: output of the spec."`
	PartSize option.PartSize `placeholder:"SIZE" help:"Plan an archive in parts of at most this size, as backup --part-size writes it; fat32 and dvd are the sizes of such media."`
	Locked   bool            `help:"Plan to copy exactly what the lock of the spec pins."`
	Format   string          `enum:"text,json" default:"text" placeholder:"text|json" help:"Print text or json."`
	Shard    string          `placeholder:"I/N" help:"Plan only the I-th of N shards, counted from 0; auto/N takes I from JOB_COMPLETION_INDEX; all/N compares all shards."`
	ExitCode bool            `help:"Exit with code 4 if something would change."`
	baseFlags
	option.PlatformFlags

	Sync    bool     `help:"Plan a sync of the references and the spec to the targets."`
	Input   []string `sep:"none" placeholder:"PATH" help:"Plan a restore of this directory or tar archive of any kind. A quoted pattern such as 'NAME.*.tgz' reads all files that match. Repeatable, like that of restore."`
	TempDir string   `type:"existingdir" placeholder:"PATH" help:"Put temporary files in this folder, such as an archive of another tool that can only be read from front to end."`
	Only    []string `sep:"none" placeholder:"PATTERN" help:"Restore only artifacts that match this glob: [REGISTRY/]REPOSITORY[:TAG]. Repeatable."`
	option.DestinationFlags

	option.RunFlags
	option.ReferrerFlags
	option.SidesFlags

	part    *shard.Part // of Shard
	lacking error       // exit.Partial if the inputs lack parts of a bundle
}

func (c *planCommand) Help() string {
	return `Plans a backup; with --input a restore, with --sync a sync. The numbers are those of the run if nothing fails and the registries accept mounts. Requests for tokens are not counted.

Examples:

    oras-mirror plan -f mirror.yaml
    oras-mirror plan -o bundle.tgz registry.k8s.io/pause
    oras-mirror plan -f mirror.yaml --base monday.tgz
    oras-mirror plan -f mirror.yaml --shard all/4
    oras-mirror plan --input bundle.tgz -f mirror.yaml
    oras-mirror plan --input 'bundle.*.tgz' localhost:5000/mirror
    oras-mirror plan --input monday.tgz --input tuesday.tgz localhost:5000/mirror
    oras-mirror plan --sync --target localhost:5000/mirror registry.k8s.io/pause:3.10
    oras-mirror plan --input bundle.tgz --format json localhost:5000/mirror`
}

func (c *planCommand) Run(ctx context.Context, u *console.Console) error {
	var err error
	if c.part, err = option.ParsePart(c.Shard); err != nil {
		return err
	}
	planned := c.ofBackup
	switch {
	case c.Sync && len(c.Input) > 0:
		return exit.Usage("omit --sync to plan a restore; to sync from a layout, list it in the sources of the spec", "--sync and --input cannot be used together")
	case c.Sync:
		planned = c.ofSync
	case c.SidesFlags.Given():
		return exit.Usage("add --sync to plan a sync", "flags that begin with --from- or --to- need --sync")
	case len(c.Input) > 0:
		planned = c.ofRestore
	}
	p, err := planned(ctx, u)
	if err != nil {
		return err
	}
	if err := p.write(u, c.Format); err != nil {
		return err
	}
	return c.conclude(u, p)
}

// conclude prints the failures, and returns the exit code.
func (c *planCommand) conclude(u *console.Console, p *shownPlan) error {
	report := new(engine.Report)
	for _, o := range p.forecast.Artifacts {
		report.Artifacts = append(report.Artifacts, engine.ArtifactReport{Reference: o.Name, Err: o.Err})
	}
	failures := console.FailuresOf(report)
	for _, f := range failures {
		if !p.restores { // a restore prints them as they occur
			u.Fail(console.ErrorOf(f))
		}
	}
	switch {
	case len(failures) == 0 && c.lacking != nil:
		return c.lacking
	case len(failures) == 0 && c.ExitCode && p.changes():
		return exit.Drift
	case len(failures) == 0:
		return nil
	case len(failures) == len(report.Artifacts):
		return c.sources().drift(u, report, exit.Failed)
	}
	return c.sources().drift(u, report, exit.Partial)
}

// sources returns the sources that the command line names for a backup.
func (c *planCommand) sources() *sources {
	return &sources{references: c.References, file: c.Spec, locked: c.Locked, part: c.part,
		PlatformFlags: c.PlatformFlags, ReferrerFlags: c.ReferrerFlags, run: &c.RunFlags}
}

// targets returns the targets that the command line names for a restore.
func (c *planCommand) targets() (*targets, error) {
	t := &targets{file: c.Spec, only: c.Only, part: c.part, DestinationFlags: c.DestinationFlags}
	switch {
	case slices.Contains(c.Input, "-"):
		return nil, exit.Usage("write the archive to a file first", "a restore from standard input cannot be planned")
	case c.Output != "" || c.Locked || c.PartSize > 0 || len(c.Platform)+len(c.Base) > 0:
		return nil, exit.Usage("omit --input to plan a backup", "--output, --part-size, --locked, --platform and --base are for a backup, and --input is for a restore")
	case len(c.References) > 1 && advice.IsArchive(c.References[0]):
		return nil, exit.Usage(advice.RepeatFlag("--input"), "unexpected argument %s", c.References[0])
	case len(c.References) > 1:
		return nil, exit.Usage("name one target, or list targets in the spec", "unexpected argument %s", c.References[1])
	case len(c.References) == 1:
		t.argument = c.References[0]
	}
	return t, nil
}

// backupJob reads everything that the command line names for a backup.
func (c *planCommand) backupJob(ctx context.Context, u *console.Console) (b backupJob, err error) {
	if len(c.Only)+len(c.Map)+len(c.Targets) > 0 || c.TempDir != "" {
		return b, exit.Usage("name the bundle to restore with --input PATH, or plan a sync with --sync", "--only, --map, --target and --temp-dir are not for a backup")
	}
	u.Advise(func(h *advice.Hints) { h.InputFlag, h.BaseFlag, h.OutputFlag = true, len(c.Base) > 0, c.Output == "" })
	sources := c.sources()
	if b.selected, err = sources.read(ctx, u); err != nil {
		return b, err
	}
	if b.output, err = outputOf(c.Output, b.spec, c.part); err != nil {
		return b, err
	}
	if err = c.checkParts(&b.output); err != nil {
		return b, err
	}
	if b.bases, err = c.baseFlags.read(b.selected); err != nil {
		return b, err
	}
	if err = b.bases.check(b.output.path); err != nil {
		return b, err
	}
	return b, b.output.mayReplace(slices.Concat(sources.filesRead(b.spec), b.bases.files()))
}

// checkParts sets the size of the parts of the output, and refuses an output that has no parts.
func (c *planCommand) checkParts(o *output) error {
	o.partSize = int64(c.PartSize)
	switch {
	case c.PartSize == 0:
		return nil
	case c.part != nil && c.part.Index == shard.All:
		return exit.Usage("plan each shard with --shard I/N", "--part-size is for one bundle, and --shard %s plans several", c.Shard)
	case o.path == "":
		return exit.Usage("set it with --output PATH, or with output in the spec", "missing --output")
	}
	return o.checkParts()
}

// ofBackup plans a backup.
func (c *planCommand) ofBackup(ctx context.Context, u *console.Console) (*shownPlan, error) {
	b, err := c.backupJob(ctx, u)
	if err != nil {
		return nil, err
	}
	client, err := start(u, &c.RunFlags, b.spec, union(b.hosts(), b.bases.hosts()))
	if err != nil {
		return nil, err
	}
	buckets, err := openBuckets(ctx, u, b.spec)
	if err != nil {
		return nil, err
	}
	present, err := b.output.open(buckets)
	if err != nil {
		return nil, err
	}
	if unfinished := b.output.interrupted(); unfinished != "" && !present.Directory {
		u.Notice("an interrupted backup left %s: backup resumes it and fetches less", unfinished)
	}
	p := &shownPlan{unmatched: b.unmatched, output: b.output}
	b.selected.bases = b.bases
	if p.forecast, err = b.forecast(ctx, u, client, &c.RunFlags, present); err == nil {
		p.measure(b.output.path)
		if !present.Directory {
			p.findDropped(present.There)
		}
	}
	return p, errors.Join(err, closeLayout(present.There))
}

// ofRestore plans a restore.
func (c *planCommand) ofRestore(ctx context.Context, u *console.Console) (*shownPlan, error) {
	targets, err := c.targets()
	if err != nil {
		return nil, err
	}
	to, err := targets.read()
	if err != nil {
		return nil, err
	}
	client, err := start(u, &c.RunFlags, to.spec, to.hosts())
	if err != nil {
		return nil, err
	}
	buckets, err := openBuckets(ctx, u, to.spec)
	if err != nil {
		return nil, err
	}
	input := option.InputFlags{Input: c.Input, TempDir: c.TempDir}
	in, err := input.Open(u.Stdin, u.Spooling, buckets)
	if err != nil {
		return nil, err
	}
	c.lacking = sayFaults(u, in)
	if x := in.Index(); x.IsDelta() { // an artifact that needs its base may fail
		noticeDelta(u, input.Name(), x.BaseNames())
	}
	p := u.StartProgress()
	f, err := restore.Forecast(ctx, client, in.(store.Layout), engine.RestoreOptions{
		Concurrency: c.Concurrency, Progress: p, Targets: to.targets, Mapper: to.mapper, Only: c.Only,
		ExcludeReferrers: c.Excluded(), Tag: to.tag, Shard: to.shard, Trust: to.trust,
	})
	p.Close()
	return &shownPlan{forecast: f, restores: true}, errors.Join(err, in.Close())
}

func (c *planCommand) ofSync(ctx context.Context, u *console.Console) (*shownPlan, error) {
	if c.Output != "" || c.PartSize > 0 || len(c.Only)+len(c.Base) > 0 || c.TempDir != "" {
		return nil, exit.Usage("omit --sync to plan a backup or a restore", "--output, --part-size, --base, --only and --temp-dir cannot be used with --sync")
	}
	sources := c.sources()
	sources.verb = "sync"
	j, err := readSync(ctx, u, sources, &targets{verb: "sync", file: c.Spec, part: c.part, DestinationFlags: c.DestinationFlags}, &c.SidesFlags)
	if err != nil {
		return nil, err
	}
	client, err := startSides(u, &c.RunFlags, j.from.spec, j.sides(&c.SidesFlags))
	if err != nil {
		return nil, err
	}
	p := u.StartProgress()
	options := j.options(&option.TransferFlags{RunFlags: c.RunFlags, ReferrerFlags: c.ReferrerFlags}, p, engine.RestoreOptions{})
	options.OpenLayout = sourceOpener(ctx, u, j.from.spec)
	f, err := sync.Forecast(ctx, client, j.from.selections, options)
	p.Close()
	return &shownPlan{forecast: f, restores: true, syncs: true, unmatched: j.from.unmatched}, err
}
