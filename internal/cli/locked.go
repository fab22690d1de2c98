package cli

import (
	"errors"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// lockedSelections reads a lock. It selects what the lock pins from the registries, and
// from the layouts of the spec on disk, which must not have changed.
func lockedSelections(u *console.Console, path string, spec *config.Spec, open opener) ([]config.Selection, error) {
	lock, err := loadLock(path)
	if err != nil {
		return nil, err
	}
	if len(lock.Artifacts) == 0 && len(lock.Pending) > 0 {
		return nil, &exit.WaitingError{Lock: path, Tags: len(lock.Pending)}
	}
	all, err := spec.Selections()
	if err != nil {
		return nil, err
	}
	noticeUnpinned(u, path, lock.Unpinned(all))
	local, err := localSelections(path, lock, all, open)
	if err != nil {
		return nil, err
	}
	pinned := lock.Selections(path)
	kept := pinned[:0]
	for _, s := range pinned {
		if !local.names[s.Reference.EntryName()] {
			kept = append(kept, s)
		}
	}
	return append(local.selections, kept...), nil
}

// maxUnpinned bounds the notes about sources that a lock has nothing of.
const maxUnpinned = 10

// noticeUnpinned notes the sources of a spec that its lock has nothing of: they were added after
// it was written, and are not copied.
func noticeUnpinned(u *console.Console, path string, missing []config.Selection) {
	for i, s := range missing {
		if i == maxUnpinned {
			u.Notice("%s more are not in %s", text.Count(len(missing)-i, "source"), path)
			return
		}
		u.Notice("%s: %s is not in %s: lock the spec again to copy it", s.Origin, s.Reference, path)
	}
}

// local holds the artifacts of a lock that come from layouts on disk.
type local struct {
	selections []config.Selection
	names      map[string]bool // by their names in the lock
}

// localSelections compares the layouts that a spec names with its lock.
func localSelections(path string, lock *lockfile.Lock, all []config.Selection, open opener) (local, error) {
	pins := make(map[string]digest.Digest)
	for _, a := range lock.Artifacts {
		pins[a.Reference.EntryName()] = a.Digest
	}
	l := local{names: make(map[string]bool)}
	for _, s := range all {
		if s.Layout == "" {
			continue
		}
		names, err := namesIn(s, open)
		if err != nil {
			return l, err
		}
		for _, t := range names {
			switch pin := pins[t.Reference]; {
			case pin == "":
				return l, &exit.DriftError{Lock: path, Reference: t.Reference, Reason: "it is in " + s.Layout + " but not in the lock"}
			case pin != t.Digest:
				return l, &exit.DriftError{Lock: path, Reference: t.Reference, Reason: "the lock pins " + pin.String() + ", but " + s.Layout + " has " + t.Digest.String()}
			}
			l.names[t.Reference] = true
		}
		l.selections = append(l.selections, s)
	}
	return l, nil
}

// namesIn lists the full references that a selection takes from a layout.
func namesIn(s config.Selection, open opener) ([]inventory.Name, error) {
	in, err := open(s.Layout)
	if err != nil {
		return nil, err
	}
	var all []inventory.Name
	for _, a := range plan.Listed(in, s.Layout, s.Reference) {
		if a.Err == nil { // else the copy reports it
			all = append(all, inventory.Name{Reference: a.Reference.EntryName(), Digest: a.Digest})
		}
	}
	return all, in.Close()
}

// drift returns exit code 4 for a locked run that failed because a pinned artifact is
// gone. The failures have been printed.
func (s *sources) drift(u *console.Console, r *engine.Report, err error) error {
	if _, concluded := errors.AsType[exit.Status](err); !s.locked || !concluded {
		return err
	}
	for _, f := range r.Failures() {
		if errors.Is(f.Err, errdef.ErrNotFound) {
			u.Hint(advice.Relock)
			return exit.Drift
		}
	}
	return err
}
