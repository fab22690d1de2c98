package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

type backupCommand struct {
	References []string `arg:"" optional:"" name:"ref" help:"References to back up: REGISTRY/REPOSITORY[:TAG[,TAG...]][@DIGEST]; without a tag the whole repository; - reads references from standard input."`

	Spec        string          `short:"f" name:"file" placeholder:"SPEC" help:"Back up what this mirror spec selects."`
	Output      string          `short:"o" placeholder:"PATH" help:"Write to this archive, to this directory if it exists or ends in /, or to s3://BUCKET/NAME or s3://BUCKET/PREFIX/; - for standard output. $${DATE} is the date in UTC, $${NAME} an environment variable."`
	Compression string          `enum:",gzip,none" default:"" placeholder:"gzip|none" help:"Compress an archive; default: gzip, but none if the name ends in .tar."`
	PartSize    option.PartSize `placeholder:"SIZE" help:"Write an archive NAME.tgz in parts of at most this size, NAME.001.tgz and so on; fat32 and dvd are the sizes of such media."`
	Locked      bool            `help:"Copy exactly what the lock of the spec pins; exit with code 4 if any of it is gone."`
	baseFlags
	option.PlatformFlags
	option.EventFlags
	reportFlags

	NoResume       bool `group:"Run" help:"Start over instead of resuming an interrupted archive."`
	VerifyExisting bool `group:"Run" help:"Hash the blobs already in a directory or a bucket and replace damaged ones; without this flag only sizes are compared."`

	SingleWriter bool `group:"Run" help:"Write to a bucket whose store ignores conditions. No other process may write to it at the same time."`

	option.ShardFlag
	option.TransferFlags

	part *shard.Part // of ShardFlag
}

func (c *backupCommand) Help() string {
	return `Examples:

    oras-mirror backup -f mirror.yaml
    oras-mirror backup -o bundle.tgz registry.k8s.io/pause:3.10 ghcr.io/oras-project/oras
    oras-mirror backup -o ./mirror/ -f mirror.yaml
    oras-mirror backup -f mirror.yaml -o tuesday.tgz --base monday.tgz
    cat images.txt | oras-mirror backup -o bundle.tgz -
    oras-mirror backup -f mirror.yaml -o bundle.tgz --part-size fat32
    oras-mirror backup -f mirror.yaml -o ./mirror/ --report report.json
    oras-mirror backup -f mirror.yaml -o ./mirror/ --only-failed report.json
    oras-mirror backup -f mirror.yaml --format json | jq 'select(.event == "artifact") | .reference'`
}

func (c *backupCommand) Run(ctx context.Context, u *console.Console) error {
	var err error
	if c.part, err = c.Part(); err != nil {
		return err
	}
	if err = c.expand(c.part); err != nil {
		return err
	}
	b, err := c.plan(ctx, u)
	if err != nil {
		return c.endEarly(ctx, u, "backup", c.filesInUse(b), err)
	}
	client, err := start(u, &c.RunFlags, b.spec, union(b.hosts(), b.bases.hosts()))
	if err != nil {
		return c.endEarly(ctx, u, "backup", c.filesInUse(b), err)
	}
	files, err := c.begin(u, "backup", client, c.filesInUse(b))
	if err != nil {
		return err
	}
	if c.OnlyFailed != "" && len(b.selections) == 0 {
		u.Say("no artifact failed in %s: nothing to do", c.OnlyFailed)
		return files.end(ctx, &engine.Report{Planned: true}, nil, nil)
	}
	files.Document.Output = b.output.path
	report, err := c.run(ctx, u, b, files)
	sayEmpty(u, b.shard, report, err)
	return files.end(ctx, report, err, c.sources().drift(u, report, u.Conclude(console.BackupWords, report, err)))
}

// run copies the artifacts. The report is nil if the copy did not start.
func (c *backupCommand) run(ctx context.Context, u *console.Console, b backupJob, files *records) (*engine.Report, error) {
	buckets, err := openBuckets(ctx, u, b.spec)
	if err != nil {
		return nil, err
	}
	out, err := c.create(ctx, u, b.output.path, buckets)
	if err != nil {
		return nil, err
	}
	previous := b.output.openReplaced(out, buckets)
	p := u.StartProgress()
	options := engine.BackupOptions{
		Only:        b.only,
		Concurrency: c.Concurrency,
		Buffer:      int64(c.Buffer),
		Progress:    files.metrics.Progress(p),
		Mapper:      b.mapper,
		Previous:    previous,
		FailFast:    c.FailFast,
		Shard:       b.shard,
		OpenLayout:  sourceOpener(ctx, u, b.spec),
		Trust:       b.trust,
	}
	var report *engine.Report
	options.Base, err = b.bases.open(ctx, u, files.client, b.selected, options)
	if err == nil {
		report, err = backup.Run(ctx, files.client, b.selections, out, options)
	}
	p.Close()
	if errors.Is(err, syscall.ENOSPC) {
		u.Advise(func(h *advice.Hints) { h.MissingSpace = p.Missing(b.output.path) })
	}
	err = errors.Join(err, closeLayout(previous), out.Close())
	u.Advise(func(h *advice.Hints) { h.Resume = leftBy(out, p.State().Moved, c.NoResume) })
	b.adviseName(u, out)
	return report, err
}

// create opens the output for writing.
func (c *backupCommand) create(ctx context.Context, u *console.Console, path string, buckets store.Buckets) (store.Destination, error) {
	out, err := store.Create(path, store.CreateOptions{Compression: c.Compression, PartSize: int64(c.PartSize), Stdout: u.Stdout,
		NoResume: c.NoResume, Verify: c.VerifyExisting, Buckets: buckets, SingleWriter: c.SingleWriter, Buffer: int64(c.Buffer),
		Interrupted: func() error { return context.Cause(ctx) },
		Waiting:     func() { u.Notice("waiting for a reader of %s", path) }})
	if err == nil && c.SingleWriter {
		warnSingleWriter(u, path)
	}
	return out, err
}

// backupJob holds what a command line asks for.
type backupJob struct {
	selected
	only   func(layout, reference string) bool // selects from layouts on disk, with --only-failed
	output output
	bases  bases
	isNew  bool // the output does not exist yet
}

// sources returns the sources that the command line names.
func (c *backupCommand) sources() *sources {
	return &sources{references: c.References, file: c.Spec, locked: c.Locked, retry: c.OnlyFailed != "", part: c.part,
		PlatformFlags: c.PlatformFlags, ReferrerFlags: c.ReferrerFlags, run: &c.RunFlags}
}

// plan reads everything that the command line names, and writes nothing.
func (c *backupCommand) plan(ctx context.Context, u *console.Console) (b backupJob, err error) {
	sources := c.sources()
	u.Advise(func(h *advice.Hints) { h.BaseFlag, h.OutputFlag = len(c.Base) > 0, c.Output == "" })
	if b.selected, err = sources.read(ctx, u); err != nil {
		return b, err
	}
	if b.output, err = outputOf(c.Output, b.spec, c.part); err != nil {
		return b, err
	}
	b.output.partSize = int64(c.PartSize)
	if err = c.checkOutput(b.output, u); err != nil {
		return b, err
	}
	if b.bases, err = c.baseFlags.read(b.selected); err != nil {
		return b, err
	}
	if err = b.bases.check(b.output.path); err != nil {
		return b, err
	}
	if err = b.output.mayReplace(slices.Concat(sources.filesRead(b.spec), b.bases.files())); err != nil {
		return b, err
	}
	_, statErr := os.Lstat(b.output.path)
	b.isNew = errors.Is(statErr, fs.ErrNotExist)
	if c.OnlyFailed != "" {
		err = c.onlyFailed(&b)
	}
	return b, err
}

// checkOutput refuses an output that this run cannot write to.
func (c *backupCommand) checkOutput(o output, u *console.Console) error {
	switch {
	case o.path == "":
		return exit.Usage("set it with --output PATH, or with output in the spec", "missing --output")
	case o.path == "-" && c.Format == "json":
		return exit.Usage("write the archive to a file", "standard output cannot carry both the archive and the events of --format json")
	case overwrite.IsStdout(o.path) && u.StdoutClosed:
		return exit.ErrStdoutClosed
	case o.path == "-" && u.StdoutTerminal:
		return exit.Usage("redirect it into a file or a pipe", "refusing to write an archive to a terminal")
	}
	return o.checkParts()
}

// filesInUse lists the files that a backup reads and writes, as far as they are known.
func (c *backupCommand) filesInUse(b backupJob) []overwrite.File {
	all := slices.Concat(c.sources().filesRead(b.spec), b.bases.files(), c.FilesWritten())
	path := cmp.Or(b.output.path, c.Output)
	if path == "-" {
		return append(all, overwrite.File{What: "the output", Path: overwrite.StdoutPath})
	}
	if c.PartSize > 0 && path != "" {
		for number := 1; number <= parts.Max; number++ {
			part := parts.Path(path, number)
			all = append(all, overwrite.File{What: "the output", Path: part}, overwrite.File{What: "the output", Path: part + ".partial"})
		}
		return all
	}
	return append(all, overwrite.LayoutFiles("the output", strings.TrimRight(path, string(os.PathSeparator)))...)
}

// leftBy tells what an interrupted run that fetched so many bytes left to resume.
// startedOver reports whether it ran with --no-resume.
func leftBy(out store.Destination, fetched int64, startedOver bool) string {
	switch out := out.(type) {
	case *store.Dir:
		if _, err := os.Stat(out.Path()); err != nil {
			return "" // nothing was fetched
		}
		return out.Path() + " keeps what was fetched: run the same command to resume"
	case *store.Bucket:
		return out.Path() + " keeps every blob that is complete: run the same command to resume"
	case *store.Parts:
		return keptBy(out, fetched, startedOver)
	case *store.Archive:
		if kept := keptBy(out, fetched, startedOver); kept != "" {
			return kept
		}
		if store.IsInBucket(out.Path()) {
			return "a bundle in a bucket starts over; a layout, s3://BUCKET/PREFIX/, can be resumed"
		}
		if out.Path() == "-" {
			return "only a file or a directory can be resumed: name one with --output"
		}
	}
	return ""
}

// keptBy tells what an archive keeps for a later run.
func keptBy(out interface {
	Partial() string
	Kept() int64
}, fetched int64, startedOver bool) string {
	partial := out.Partial()
	if partial == "" {
		return ""
	}
	how := "run the same command to resume, or with --no-resume to start over"
	if startedOver {
		how = "run the command without --no-resume to resume"
	}
	return fmt.Sprintf("%s keeps %s of %s fetched: %s", partial, text.Bytes(min(out.Kept(), fetched)), text.Bytes(fetched), how)
}

// otherFormats are the extensions of archives that a backup does not write.
var otherFormats = []string{".zip", ".zst", ".xz", ".bz2", ".lz4", ".7z"}

// adviseName tells a user who may have expected a directory, or another kind of archive, what
// was written.
func (b *backupJob) adviseName(u *console.Console, out store.Destination) {
	_, isArchive := out.(*store.Archive)
	info, err := os.Stat(b.output.path)
	if !isArchive || !b.isNew || err != nil || !info.Mode().IsRegular() {
		return
	}
	switch extension := strings.ToLower(filepath.Ext(b.output.path)); {
	case extension == "":
		u.Hint(strings.TrimSuffix(b.output.path, "/") + ` is a compressed tar file; "--output ` + b.output.path + `/" makes a directory`)
	case slices.Contains(otherFormats, extension):
		u.Hint(b.output.path + " is a tar file, compressed with gzip or not at all, whatever its name says: end the name in .tgz or .tar")
	}
}
