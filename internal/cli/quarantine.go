package cli

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// quarantine returns what a lock knows of tags with a minAge; nil if the spec has none, or if
// this is its first lock, which takes all.
func (c *lockCommand) quarantine(spec *config.Spec) (*engine.Quarantine, error) {
	if c.Quarantine && spec.NeedsLock() == "" {
		return nil, exit.Usage("add minAge to the tags of a source", "--quarantine: no source of %s has a minAge", c.Spec)
	}
	q, err := quarantineOf(spec, c.Spec)
	if q == nil && err == nil && c.Quarantine {
		q = &engine.Quarantine{Before: new(lockfile.Lock), Today: lockfile.Today(time.Now())}
	}
	return q, err
}

// quarantineOf returns what the lock of the spec in file knows of tags with a minAge; nil if the
// spec has none, and if there is no lock.
func quarantineOf(spec *config.Spec, file string) (*engine.Quarantine, error) {
	path := lockfile.Path(file)
	if _, err := os.Stat(path); spec.NeedsLock() == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	before, err := lockfile.Load(path)
	if err != nil {
		return nil, err
	}
	return &engine.Quarantine{Before: before, Today: lockfile.Today(time.Now())}, nil
}

// requireLock refuses a run without a lock of a spec that has a minAge: only the lock knows how
// old a tag is.
func requireLock(spec *config.Spec, file string) error {
	if at := spec.NeedsLock(); at != "" {
		return exit.Usage(`pin what is old enough with "oras-mirror lock -f `+file+`", and add --locked`, "%s: minAge needs --locked", at)
	}
	return nil
}
