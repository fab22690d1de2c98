package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/atomicfile"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

type lockCommand struct {
	Spec   string `short:"f" name:"file" required:"" placeholder:"SPEC" help:"Lock this mirror spec; the lock of mirror.yaml is mirror.lock.yaml beside it."`
	Check  bool   `xor:"check" help:"Write nothing; show how the lock differs from what the spec selects now. Exit with code 4 if it does."`
	Shards bool   `xor:"check" help:"Write the size of each repository into the lock, by which --shard balances the shards."`

	option.RunFlags
}

func (c *lockCommand) Help() string {
	return `Pins the digests that the spec selects now, so that "backup --locked" copies exactly those.

Examples:

    oras-mirror lock -f mirror.yaml
    oras-mirror lock -f mirror.yaml --check
    oras-mirror lock -f mirror.yaml --shards
    oras-mirror backup -f mirror.yaml --locked`
}

func (c *lockCommand) Run(ctx context.Context, u *console.Console) error {
	path := config.LockPath(c.Spec)
	var before *config.Lock
	if c.Check {
		var err error
		if before, err = loadLock(path); err != nil {
			return err
		}
	} else if err := overwrite.Check("the lock", path, filetype.Lock, overwrite.SpecFiles(c.Spec, nil)); err != nil {
		return err
	}
	lock, err := c.resolve(ctx, u)
	if err != nil {
		return err
	}
	if c.Check {
		return checkLock(u, path, before, lock)
	}
	if err := writeLock(path, lock); err != nil {
		return err
	}
	u.Say("locked %s in %s", text.Count(len(lock.Artifacts), "artifact"), path)
	return nil
}

// resolve makes a lock of the artifacts that the spec selects now. It fails if one is missing.
func (c *lockCommand) resolve(ctx context.Context, u *console.Console) (*config.Lock, error) {
	sources := sources{file: c.Spec, run: &c.RunFlags}
	all, err := sources.read(ctx, u)
	if err != nil {
		return nil, err
	}
	all.measureEach = c.Shards
	client, err := start(u, &c.RunFlags, all.spec, all.hosts())
	if err != nil {
		return nil, err
	}
	f, err := all.forecast(ctx, u, client, &c.RunFlags, nil, false)
	if err != nil {
		return nil, err
	}
	u.NoticeNewest(f.Newest)
	return f.Lock()
}

// loadLock reads the lock at path.
func loadLock(path string) (*config.Lock, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, &exit.NoLockError{Path: path}
	}
	return config.LoadLock(path)
}

// checkLock prints how two locks differ, a line for each artifact.
func checkLock(u *console.Console, path string, before, now *config.Lock) error {
	d := inventory.Diff(lockedNames(before), lockedNames(now))
	if err := d.Print(u.Answer()); err != nil {
		return err
	}
	if d.IsEmpty() {
		u.Say("%s is up to date: %s", path, text.Count(len(now.Artifacts), "artifact"))
		return nil
	}
	u.Say("%s is out of date: %s", path, d.Counts())
	return exit.Drift
}

// lockedNames lists the artifacts of a lock. Two are the same if their platforms and
// referrers are, too.
func lockedNames(l *config.Lock) []inventory.Name {
	all := make([]inventory.Name, len(l.Artifacts))
	for i, a := range l.Artifacts {
		all[i] = inventory.Name{Reference: a.Reference.EntryName(), Digest: a.Digest,
			With: strings.Join(slices.Concat(text.Strings(a.Platforms), text.Strings(a.Referrers)), " ")}
	}
	return all
}

// writeLock replaces the lock at path atomically.
func writeLock(path string, lock *config.Lock) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	if _, err := lock.WriteTo(f); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Commit(), f.Close())
}
