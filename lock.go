package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/atomicfile"
)

type lockCommand struct {
	Spec  string `short:"f" name:"file" required:"" placeholder:"SPEC" help:"The mirror spec to lock; mirror.yaml gets mirror.lock.yaml beside it."`
	Check bool   `help:"Write nothing; show how the lock differs from what the spec selects now, and exit with code 4 if it does."`

	runFlags
}

func (c *lockCommand) Help() string {
	return `Writes down which digests the spec selects now, for "backup --locked" to copy exactly those.

Examples:

    oras-mirror lock -f mirror.yaml
    oras-mirror lock -f mirror.yaml --check
    oras-mirror backup -f mirror.yaml --locked`
}

func (c *lockCommand) Run(ctx context.Context, u *ui) error {
	path := config.LockPath(c.Spec)
	var before *config.Lock
	if c.Check {
		var err error
		if before, err = loadLock(path); err != nil {
			return err
		}
	} else if err := mayReplace("the lock", path, aLock, filesOf(c.Spec, nil)); err != nil {
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
	u.say("locked %s in %s", count(len(lock.Artifacts), "artifact"), path)
	return nil
}

// resolve makes a lock of what the spec selects now. Nothing may be missing.
func (c *lockCommand) resolve(ctx context.Context, u *ui) (*config.Lock, error) {
	command := &backupCommand{Spec: c.Spec, transferFlags: transferFlags{runFlags: c.runFlags}}
	b, err := command.sources(u)
	if err != nil {
		return nil, err
	}
	client, err := start(u, &c.runFlags, b.spec, hostsOf(b.selections, sourceHost))
	if err != nil {
		return nil, err
	}
	p := u.startProgress()
	f, err := engine.ForecastBackup(ctx, client, b.selections, nil, false, engine.BackupOptions{
		Concurrency: c.Concurrency, Buffer: int64(c.Buffer), Progress: p, Mapper: b.mapper,
	})
	p.close()
	if err != nil {
		return nil, err
	}
	u.tellNewest(f.Newest)
	return f.Lock()
}

// noLockError says that a spec has not been locked.
type noLockError struct{ path string }

func (e *noLockError) Error() string { return e.path + ": no such lock" }

func loadLock(path string) (*config.Lock, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, &noLockError{path}
	}
	return config.LoadLock(path)
}

// checkLock says what differs, a line for each artifact.
func checkLock(u *ui, path string, before, now *config.Lock) error {
	d := diffOf(lockedNames(before), lockedNames(now))
	if err := d.print(u.answer()); err != nil {
		return err
	}
	if d.isEmpty() {
		u.say("%s is what the spec selects: %s", path, count(len(now.Artifacts), "artifact"))
		return nil
	}
	u.say("%s is not what the spec selects now: %s", path, d.counts())
	return statusDrift
}

// lockedNames lists what a lock pins. Beside the digest that is what of it comes
// along.
func lockedNames(l *config.Lock) []tagged {
	all := make([]tagged, len(l.Artifacts))
	for i, a := range l.Artifacts {
		all[i] = tagged{Reference: a.Reference.EntryName(), Digest: a.Digest,
			with: strings.Join(slices.Concat(platformTexts(a.Platforms), digestTexts(a.Referrers)), " ")}
	}
	return all
}

// writeLock replaces the lock at path, all at once.
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
