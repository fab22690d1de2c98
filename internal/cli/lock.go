package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/atomicfile"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/disk"
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

	Quarantine bool `xor:"check" help:"Let tags with a minAge wait also in the first lock, which otherwise takes all of them."`

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
	path := lockfile.Path(c.Spec)
	var before *lockfile.Lock
	if c.Check {
		var err error
		if before, err = loadLock(path); err != nil {
			return err
		}
	} else if err := overwrite.Check("the lock", path, filetype.Lock, overwrite.SpecFiles(c.Spec, nil)); err != nil {
		return err
	}
	lock, waiting, err := c.resolve(ctx, u)
	if err != nil {
		return err
	}
	if c.Check {
		return checkLock(u, path, lockChange{before, lock, waiting})
	}
	if err := writeLock(path, lock); err != nil {
		return err
	}
	u.Say("locked %s in %s", text.Count(len(lock.Artifacts), "artifact"), path)
	if len(waiting) > 0 {
		u.Say("%s too new: lock --check shows until when", text.Count(len(waiting), "tag"))
	}
	return nil
}

// resolve makes a lock of the artifacts that the spec selects now, and lists the tags that are
// too new for it. It fails if an artifact is missing.
func (c *lockCommand) resolve(ctx context.Context, u *console.Console) (*lockfile.Lock, []engine.Waiting, error) {
	sources := sources{file: c.Spec, pins: true, run: &c.RunFlags}
	all, err := sources.read(ctx, u)
	if err != nil {
		return nil, nil, err
	}
	all.measureEach = c.Shards
	if all.quarantine, err = c.quarantine(all.spec); err != nil {
		return nil, nil, err
	}
	client, err := start(u, &c.RunFlags, all.spec, all.hosts())
	if err != nil {
		return nil, nil, err
	}
	f, err := all.forecast(ctx, u, client, &c.RunFlags, backup.Output{})
	if err != nil {
		return nil, nil, err
	}
	u.NoticeNewest(f.Newest)
	lock, err := f.Lock()
	return lock, f.Waiting, err
}

// loadLock reads the lock at path.
func loadLock(path string) (*lockfile.Lock, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, &exit.NoLockError{Path: path}
	}
	return lockfile.Load(path)
}

// lockedNames lists the artifacts of a lock. Two are the same if their platforms, referrers
// and signers are, too.
func lockedNames(l *lockfile.Lock) []inventory.Name {
	all := make([]inventory.Name, len(l.Artifacts))
	for i, a := range l.Artifacts {
		all[i] = inventory.Name{Reference: a.Reference.EntryName(), Digest: a.Digest,
			With: strings.Join(slices.Concat(text.Strings(a.Platforms), text.Strings(a.Referrers)), " "), SignedBy: strings.Join(a.SignedBy, ", ")}
	}
	return all
}

// writeLock replaces the lock at path, or the one that a link there leads to, atomically.
func writeLock(path string, lock *lockfile.Lock) error {
	f, err := atomicfile.Create(disk.FollowLinks(path))
	if err != nil {
		return err
	}
	if _, err := lock.WriteTo(f); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Commit(), f.Close())
}
