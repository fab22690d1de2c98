package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
)

// leftBy says what a run that was interrupted, and had fetched so many bytes, left
// for the next. startedOver says that it had not resumed another one.
func leftBy(out store.Destination, fetched int64, startedOver bool) string {
	switch out := out.(type) {
	case *store.Dir:
		if _, err := os.Stat(out.Path()); err != nil {
			return "" // nothing was
		}
		return "what was fetched stays in " + out.Path() + ": the same command resumes there"
	case *store.Archive:
		if partial := out.Partial(); partial != "" {
			how := "the same command resumes there; --no-resume starts over"
			if startedOver {
				how = "without --no-resume the command resumes there"
			}
			return fmt.Sprintf("%s keeps %s of %s fetched: %s", partial, text.Bytes(min(out.Kept(), fetched)), text.Bytes(fetched), how)
		}
		if out.Path() == "-" {
			return "only a file or a directory can be resumed: name one with --output"
		}
	}
	return ""
}

type backupCommand struct {
	References []string `arg:"" optional:"" name:"ref" help:"What to back up: REGISTRY/REPOSITORY[:TAG[,TAG...]][@DIGEST], a whole repository without a tag; - reads references from standard input."`

	Spec        string `short:"f" name:"file" placeholder:"SPEC" help:"Back up what this mirror spec selects."`
	Output      string `short:"o" placeholder:"PATH" help:"Write to this archive, or to a directory if it is one or ends in /; - for standard output."`
	Compression string `enum:",gzip,none" default:"" placeholder:"gzip|none" help:"Compress an archive; default: gzip, but none if the name ends in .tar."`
	Locked      bool   `help:"Copy exactly what the lock of the spec pins; exit code 4 if any of it is gone."`
	option.PlatformFlags
	option.EventFlags
	reportFlags

	NoResume       bool `group:"Run" help:"Start over instead of resuming an interrupted archive."`
	VerifyExisting bool `group:"Run" help:"Also hash the blobs that a directory has, and replace damaged ones; sizes are always compared."`

	option.TransferFlags
}

func (c *backupCommand) Help() string {
	return `Examples:

    oras-mirror backup -f mirror.yaml
    oras-mirror backup -o bundle.tgz registry.k8s.io/pause:3.10 ghcr.io/oras-project/oras
    oras-mirror backup -o ./mirror/ -f mirror.yaml
    cat images.txt | oras-mirror backup -o bundle.tgz -
    oras-mirror backup -f mirror.yaml -o ./mirror/ --report report.json
    oras-mirror backup -f mirror.yaml -o ./mirror/ --only-failed report.json
    oras-mirror backup -f mirror.yaml --format json | jq 'select(.event == "artifact") | .reference'`
}

func (c *backupCommand) Run(ctx context.Context, u *console.Console) error {
	if err := begin(u, &c.EventFlags, "backup"); err != nil {
		return err
	}
	b, err := c.plan(u)
	if err != nil {
		return c.refused(ctx, u, "backup", c.filesInUse(b), err)
	}
	client, err := start(u, &c.RunFlags, b.spec, hostsOf(b.selections, sourceHost))
	if err != nil {
		return c.refused(ctx, u, "backup", c.filesInUse(b), err)
	}
	account, err := c.reporter(u, "backup", c.filesInUse(b))
	if err != nil {
		return err
	}
	if c.OnlyFailed != "" && len(b.selections) == 0 {
		u.Say("%s names no artifact that failed: nothing to do", c.OnlyFailed)
		return account.Write(ctx, &engine.Report{Planned: true}, nil)
	}
	account.Document.Output = b.output
	report, err := c.run(ctx, u, b, client)
	return errors.Join(c.drift(u, report, u.Conclude(console.BackupWords, report, err)), account.Write(ctx, report, err))
}

// run moves the bytes. The report is nil if it did not come to that.
func (c *backupCommand) run(ctx context.Context, u *console.Console, b backupJob, client *registry.Client) (*engine.Report, error) {
	out, err := store.Create(b.output, store.CreateOptions{Compression: c.Compression, Stdout: u.Stdout,
		NoResume: c.NoResume, Verify: c.VerifyExisting, Interrupted: func() error { return context.Cause(ctx) },
		Waiting: func() { u.Notice("waiting for a reader of %s", b.output) }})
	if err != nil {
		return nil, err
	}
	previous := openPrevious(out, b.output)
	p := u.StartProgress()
	report, err := backup.Run(ctx, client, b.selections, out, engine.BackupOptions{
		Only:        b.only,
		Concurrency: c.Concurrency,
		Buffer:      int64(c.Buffer),
		Progress:    p,
		Mapper:      b.mapper,
		Previous:    previous,
		FailFast:    c.FailFast,
	})
	p.Close()
	if errors.Is(err, syscall.ENOSPC) {
		u.Hints.Missing = p.Missing(b.output)
	}
	err = errors.Join(err, closeLayout(previous), out.Close())
	u.Hints.Again = leftBy(out, p.State().Moved, c.NoResume)
	b.adviseDirectory(u, out)
	return report, err
}

// backupJob holds what a command line asks for.
type backupJob struct {
	spec       *config.Spec
	selections []config.Selection
	mapper     *config.Mapper
	only       func(layout, reference string) bool // with --only-failed, of layouts on disk
	output     string
	isNew      bool // nothing was there before
}

// plan reads all that the command line names, and writes nothing.
func (c *backupCommand) plan(u *console.Console) (b backupJob, err error) {
	if b, err = c.sources(u); err != nil {
		return b, err
	}
	if b.output, err = c.outputPath(b.spec, u); err != nil {
		return b, err
	}
	if err = c.mayReplaceOutput(b.spec, b.output); err != nil {
		return b, err
	}
	_, statErr := os.Lstat(b.output)
	b.isNew = errors.Is(statErr, fs.ErrNotExist)
	if c.OnlyFailed != "" {
		err = c.onlyFailed(&b)
	}
	return b, err
}

// sources reads what is to be backed up, wherever that goes.
func (c *backupCommand) sources(u *console.Console) (b backupJob, err error) {
	if err := c.claimStreams(u); err != nil {
		return b, err
	}
	if b.spec, err = loadSpec(c.Spec); err != nil {
		return b, err
	}
	if b.selections, err = c.selected(b.spec, u); err != nil {
		return b, err
	}
	b.mapper, err = claimedBy(b.spec)
	return b, err
}

func (c *backupCommand) claimStreams(u *console.Console) error {
	var s option.Stdin
	for _, ref := range c.References {
		if ref != "-" {
			continue
		}
		if err := s.ReadBy("the list of references"); err != nil {
			return err
		}
	}
	return c.Stdin(&s)
}

// selections gathers the spec's sources, then what the arguments name. What the
// spec's defaults say of referrers holds for those, too.
func (c *backupCommand) selections(spec *config.Spec, u *console.Console) ([]config.Selection, error) {
	all, err := spec.Selections()
	if err != nil {
		return nil, err
	}
	named, err := c.named(u)
	if err != nil {
		return nil, err
	}
	spec.ApplyDefaults(named)
	all = append(all, named...)
	if len(all) == 0 && c.OnlyFailed == "" {
		return nil, nothingSelected(c.Spec)
	}
	c.ReferrerFlags.Apply(all)
	return all, c.PlatformFlags.Apply(all)
}

// nothingSelected says that neither a spec nor an argument names a source.
func nothingSelected(spec string) error {
	if spec != "" {
		return exit.Usage(listSources(spec), "nothing to back up: %s has no sources", spec)
	}
	return exit.Usage(`name references, or a spec with -f; "-" reads references from standard input`, "nothing to back up")
}

// listSources is a hint for a spec that selects nothing.
func listSources(spec string) string {
	return fmt.Sprintf(`list what to mirror under "sources:" in %s, one reference a line: "  - registry.k8s.io/pause:3.10"`, spec)
}

// named reads the arguments in their order, and standard input in the place of
// a "-".
func (c *backupCommand) named(u *console.Console) ([]config.Selection, error) {
	var all []config.Selection
	var errs []error
	add := func(some []config.Selection, err error) {
		all, errs = append(all, some...), append(errs, err)
	}
	rest := c.References
	for i, ref := range c.References {
		if ref == "-" {
			add(config.Arguments(c.References[:i]))
			add(config.ReadList("standard input", u.Stdin))
			rest = c.References[i+1:]
		}
	}
	add(config.Arguments(rest))
	return all, errors.Join(errs...)
}
