package cli

import (
	"fmt"
	"slices"

	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// lockChange is a lock with the one that a spec would have now.
type lockChange struct {
	before, now *lockfile.Lock
	waiting     []engine.Waiting // the tags that are too new for now
}

// checkLock prints how two locks differ, a line for each artifact, and a line for each tag that
// waits.
func checkLock(u *console.Console, path string, c lockChange) error {
	d := inventory.Diff(lockedNames(c.before), lockedNames(c.now))
	if err := d.Print(u.Answer()); err != nil {
		return err
	}
	for _, w := range c.waiting {
		line := fmt.Sprintf("? %s %s waits until %s", w.Reference, w.Digest, w.Until)
		if _, err := fmt.Fprintln(u.Answer(), text.Printable(line)); err != nil {
			return err
		}
	}
	unrecorded := c.unrecorded()
	switch {
	case d.IsEmpty() && unrecorded == 0:
		u.Say("%s is up to date: %s", path, text.Count(len(c.now.Artifacts), "artifact"))
		return nil
	case d.IsEmpty():
		u.Say("%s is out of date: %s of tags that wait", path, text.Count(unrecorded, "change"))
	default:
		u.Say("%s is out of date: %s", path, d.Counts())
	}
	return exit.Drift
}

// unrecorded counts the tags that wait and are not in the lock like this, and those in the lock
// that wait no longer.
func (c lockChange) unrecorded() int {
	n := 0
	for _, pair := range [][2]*lockfile.Lock{{c.before, c.now}, {c.now, c.before}} {
		for _, p := range pair[0].Pending {
			at := slices.IndexFunc(pair[1].Pending, func(o lockfile.Pending) bool { return o.Reference == p.Reference })
			if at < 0 || pair[0] == c.before && pair[1].Pending[at] != p {
				n++
			}
		}
	}
	return n
}
