package cli

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// quarantine returns what a lock knows of tags with a minAge; nil if the spec has none, or if
// this is its first lock, which takes all.
func (c *lockCommand) quarantine(spec *config.Spec) (*engine.Quarantine, error) {
	if spec.NeedsLock() == "" {
		if c.Quarantine {
			return nil, exit.Usage("add minAge to the tags of a source", "--quarantine: no source of %s has a minAge", c.Spec)
		}
		return nil, nil
	}
	q := &engine.Quarantine{Before: new(config.Lock), Today: config.Today(time.Now())}
	path := config.LockPath(c.Spec)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if c.Quarantine {
			return q, nil
		}
		return nil, nil
	}
	var err error
	q.Before, err = config.LoadLock(path)
	return q, err
}

// requireLock refuses a run without a lock of a spec that has a minAge: only the lock knows how
// old a tag is.
func requireLock(spec *config.Spec, file string) error {
	if at := spec.NeedsLock(); at != "" {
		return exit.Usage(`pin what is old enough with "oras-mirror lock -f `+file+`", and add --locked`, "%s: minAge needs --locked", at)
	}
	return nil
}
