package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/merge"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
)

type mergeCommand struct {
	Inputs []string `arg:"" name:"input" help:"Merge these: directories, tar archives of any kind, s3://BUCKET/NAME, s3://BUCKET/PREFIX/, or quoted patterns such as 'NAME.*.tgz'."`

	Output      string `short:"o" required:"" placeholder:"PATH" help:"Write to this archive, to this directory if it exists or ends in /, or to s3://BUCKET/NAME or s3://BUCKET/PREFIX/; - for standard output."`
	Compression string `enum:",gzip,none" default:"" placeholder:"gzip|none" help:"Compress an archive; default: gzip, but none if the name ends in .tar."`
	TempDir     string `type:"existingdir" placeholder:"PATH" help:"Put temporary files in this folder, such as a compressed archive of another tool."`

	NoResume     bool          `group:"Run" help:"Start over instead of resuming an interrupted archive."`
	SingleWriter bool          `group:"Run" help:"Write to a bucket whose store ignores conditions. No other process may write to it at the same time."`
	Buffer       text.ByteSize `group:"Run" default:"128MiB" placeholder:"SIZE" help:"Use this much memory for what is kept of the inputs; default ${default}."`
	option.VerbosityFlags
}

func (c *mergeCommand) Help() string {
	return `A delta replaces the base that it names, in whatever order they are given: the result is what the delta lists. Other inputs are united; a name with two digests is an error. The manifests have the order of the last archive among the inputs, so that archives of a base and its deltas give, byte for byte, the bundle that a full backup writes.

Every blob is hashed. If one input has a damaged copy, a good one is taken from another.

Examples:

    oras-mirror merge -o full.tgz base.tgz monday.tgz tuesday.tgz
    oras-mirror merge -o ./merged/ base.tgz tuesday.tgz
    oras-mirror merge -o merged.tar 'm*day.tgz'`
}

// Validate checks the flags; kong calls it.
func (c *mergeCommand) Validate() error {
	if c.Buffer < 1<<20 {
		return exit.Usage("", "--buffer must be at least 1MiB, not %s", text.Bytes(int64(c.Buffer)))
	}
	return nil
}

func (c *mergeCommand) Run(ctx context.Context, u *console.Console) error {
	var err error
	if c.Output, err = expandPath("--output", c.Output, nil); err != nil {
		return err
	}
	paths, err := c.check(u)
	if err != nil {
		return err
	}
	option.BoundMemory(int64(c.Buffer))
	buckets, err := openBuckets(ctx, u, nil)
	if err != nil {
		return err
	}
	in, err := c.open(u, paths, buckets)
	if err != nil {
		return err
	}
	lacking := sayFaults(u, in)
	report, err := c.run(ctx, u, in, buckets)
	return cmp.Or(u.Conclude(console.MergeWords, report, err), lacking)
}

// check checks the command line, and returns the paths of the inputs.
func (c *mergeCommand) check(u *console.Console) ([]string, error) {
	switch {
	case slices.Contains(c.Inputs, "-"):
		return nil, exit.Usage("save it to a file first", "standard input can be read only once, so it cannot be merged")
	case overwrite.IsStdout(c.Output) && u.StdoutClosed:
		return nil, exit.ErrStdoutClosed
	case c.Output == "-" && u.StdoutTerminal:
		return nil, exit.Usage("redirect it into a file or a pipe", "refusing to write an archive to a terminal")
	}
	paths, err := option.ExpandInputs(c.Inputs)
	if err != nil {
		return nil, err
	}
	return paths, c.mayReplace(paths)
}

// mayReplace returns an error if the output is one of the inputs, or another file of worth.
func (c *mergeCommand) mayReplace(paths []string) error {
	for _, path := range paths {
		if store.IsInBucket(path) && strings.TrimSuffix(path, "/") == strings.TrimSuffix(c.Output, "/") {
			return exit.Usage("choose another name", "--output %s is an input", c.Output)
		}
	}
	out := output{path: c.Output, setting: "--output"}
	var read []overwrite.File
	for _, path := range paths {
		read = append(read, overwrite.LayoutFiles("an input", path)...)
	}
	if out.isFile() {
		return out.mayReplace(read)
	}
	return overwrite.CheckInUse(out.setting, out.path, read)
}

// open opens the inputs as one.
func (c *mergeCommand) open(u *console.Console, paths []string, buckets store.Buckets) (store.Layout, error) {
	inputs := option.InputFlags{Input: paths, TempDir: c.TempDir}
	in, err := inputs.Open(u.Stdin, u.Spooling, buckets)
	if err != nil {
		return nil, err
	}
	l := in.(store.Layout) // since none is a pipe
	if x := l.Index(); x.IsDelta() && store.CheckBases(l) == nil {
		u.Notice("the result is a delta, too: it needs %s", text.Printable(x.BaseName()))
	}
	return l, nil
}

// run merges. The report is nil if that did not start.
func (c *mergeCommand) run(ctx context.Context, u *console.Console, in store.Layout, buckets store.Buckets) (*engine.Report, error) {
	if c.SingleWriter {
		warnSingleWriter(u, c.Output)
	}
	out, err := store.Create(c.Output, store.CreateOptions{Compression: c.Compression, Stdout: u.Stdout, NoResume: c.NoResume,
		Buckets: buckets, SingleWriter: c.SingleWriter, Buffer: int64(c.Buffer),
		Interrupted: func() error { return context.Cause(ctx) },
		Waiting:     func() { u.Notice("waiting for a reader of %s", c.Output) }})
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	p := u.StartProgress()
	report, err := merge.Run(ctx, in, out, merge.Options{Progress: p})
	p.Close()
	if errors.Is(err, syscall.ENOSPC) {
		u.Advise(func(h *advice.Hints) { h.MissingSpace = p.Missing(c.Output) })
	}
	err = errors.Join(err, in.Close(), out.Close())
	u.Advise(func(h *advice.Hints) { h.Resume = leftBy(out, p.State().Moved, c.NoResume) })
	return report, err
}
