package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/prune"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
)

type pruneCommand struct {
	Spec   string `short:"f" name:"file" required:"" placeholder:"SPEC" help:"Keep what this mirror spec selects."`
	Output string `short:"o" placeholder:"DIR" help:"Prune this directory, or s3://BUCKET/PREFIX/; default: the output of the spec."`
	DryRun bool   `help:"Show what would be removed."`
	Format string `enum:"text,json" default:"text" placeholder:"text|json" help:"Print text or json: what is removed, with sizes and errors."`

	Grace        time.Duration `default:"24h" placeholder:"DURATION" help:"Remove blobs from a bucket only if an earlier run found them unreferenced at least this long ago; default ${default}."`
	SingleWriter bool          `help:"Write to a bucket whose store ignores conditions. No other process may write to it at the same time."`

	option.RunFlags
}

// Validate checks the flags; kong calls it.
func (c *pruneCommand) Validate() error {
	if c.Grace <= 0 {
		return exit.Usage("", "--grace must be more than 0, not %s", c.Grace)
	}
	return c.RunFlags.Validate()
}

func (c *pruneCommand) Help() string {
	return `Lists the sources of the spec again and removes all other artifacts from the directory,
with the referrers that lose their subject and the blobs that nothing references any more.
Keeps all artifacts of a repository that cannot be listed.

A bucket may have other writers. There, blobs are removed in two runs: the first lists what nothing
references any more, a later one removes what is still unreferenced.

Examples:

    oras-mirror prune -f mirror.yaml -o ./mirror/ --dry-run
    oras-mirror prune -f mirror.yaml -o ./mirror/
    oras-mirror prune -f mirror.yaml -o ./mirror/ --dry-run --format json`
}

func (c *pruneCommand) Run(ctx context.Context, u *console.Console) error {
	document := newPruneDocument(c.DryRun)
	if c.Format == "json" {
		u.SetDocument(document.finish)
	}
	spec, err := config.Load(c.Spec)
	if err != nil {
		return err
	}
	path, err := c.path(spec)
	if err != nil {
		return err
	}
	selections, err := c.selections(spec)
	if err != nil {
		return err
	}
	client, err := start(u, &c.RunFlags, spec, spec.Asked(sourceHosts(selections)))
	if err != nil {
		return err
	}
	buckets, err := openBuckets(ctx, u, spec)
	if err != nil {
		return err
	}
	document.Output = path
	layout, err := c.open(u, path, buckets)
	if err != nil {
		return err
	}
	selected, err := prune.Names(ctx, client, selections, engine.BackupOptions{OpenLayout: openerOf(ctx, u, spec)})
	if err != nil {
		return errors.Join(err, layout.Close())
	}
	pruned, err := prune.Run(ctx, layout, selected, store.PruneOptions{DryRun: c.DryRun, Grace: c.Grace, ListBlobs: c.Format == "json"})
	if err = errors.Join(err, layout.Close()); err != nil {
		return err
	}
	document.add(pruned)
	return c.conclude(u, path, selected, pruned)
}

// selections returns what the spec and its lock select.
func (c *pruneCommand) selections(spec *config.Spec) ([]config.Selection, error) {
	selections, err := spec.Selections()
	if err != nil {
		return nil, err
	}
	if len(selections) == 0 {
		return nil, exit.Usage(listSources(c.Spec), "%s selects nothing: everything would be removed", c.Spec)
	}
	if spec.NeedsLock() == "" {
		return selections, nil
	}
	lock, err := loadLock(lockfile.Path(c.Spec)) // it holds tags that are older than the newest
	if err != nil {
		return nil, err
	}
	return append(selections, lock.Selections(lockfile.Path(c.Spec))...), nil
}

// prunable is an open directory or bucket.
type prunable interface {
	prune.Layout
	store.Destination
}

// open opens the directory or the bucket to prune.
func (c *pruneCommand) open(u *console.Console, path string, buckets store.Buckets) (prunable, error) {
	if !store.IsInBucket(path) {
		dir, err := store.OpenLayoutDir(path)
		if err != nil {
			return nil, err
		}
		return dir, nil
	}
	b, err := store.OpenLayoutBucket(path, store.CreateOptions{Buckets: buckets, SingleWriter: c.SingleWriter})
	if err != nil {
		return nil, err
	}
	if c.SingleWriter {
		warnSingleWriter(u, path)
	}
	return b, nil
}

// path returns the directory or the layout in a bucket to prune.
func (c *pruneCommand) path(spec *config.Spec) (string, error) {
	out, err := outputOf(c.Output, spec, nil)
	if err != nil {
		return "", err
	}
	if out.path == "" {
		return "", exit.Usage("name the directory with --output, or with output in the spec", "missing --output")
	}
	if store.IsLayoutInBucket(out.path) {
		return out.path, nil
	}
	info, err := os.Stat(out.path)
	if err == nil && !info.IsDir() || err != nil && (filetype.LooksLikePath(out.path) || store.IsInBucket(out.path)) {
		return "", exit.Usage("run backup again instead: a new archive holds only what the spec selects", "%s is not a directory; prune works only on directories", out.path)
	}
	return out.path, nil
}

// conclude prints what was removed and what failed, and returns the exit code.
func (c *pruneCommand) conclude(u *console.Console, path string, selected *prune.Selected, pruned *store.Pruned) error {
	if c.DryRun && c.Format == "text" {
		for _, e := range pruned.Entries {
			if _, err := fmt.Fprintf(u.Stdout, "%s %s\n", text.Printable(e.Name), text.Printable(e.Digest.String())); err != nil {
				return err
			}
		}
	}
	did := map[bool]string{true: "would remove", false: "removed"}[c.DryRun]
	u.Say("%s %s, %s and %s from %s: %s", did, text.Count(len(pruned.Entries), "artifact"),
		text.Count(pruned.Referrers, "referrer"), text.Count(pruned.Blobs, "blob"), path, text.Bytes(pruned.Bytes))
	if pruned.Waiting > 0 {
		u.Say("%s of %s wait: run prune again after %s to remove what is still unreferenced then",
			text.Count(pruned.Waiting, "blob"), text.Bytes(pruned.WaitingBytes), pruned.Until.UTC().Format("2006-01-02 15:04 MST"))
	}
	if pruned.Uploads > 0 {
		u.Say("aborted %s of killed runs, older than a week", text.Count(pruned.Uploads, "unfinished upload"))
	}
	if pruned.Unnamed > 0 {
		u.Notice("kept %s without a name, which no spec can select", text.Count(pruned.Unnamed, "manifest"))
	}
	for _, f := range selected.Failures {
		u.Fail(f.Err)
	}
	switch {
	case len(selected.Failures) == 0:
		return nil
	case selected.Listed == 0:
		return exit.Failed
	}
	return exit.Partial
}
