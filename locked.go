package main

import (
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store"
)

// selected returns the selections of a backup: those of spec and arguments, or of the lock.
func (c *backupCommand) selected(spec *config.Spec, u *ui) ([]config.Selection, error) {
	if !c.Locked {
		return c.selections(spec, u)
	}
	switch {
	case c.Spec == "":
		return nil, usage("name the spec whose lock it is with -f", "--locked without a spec")
	case len(c.References) > 0 || len(c.Platform) > 0 || c.included() != nil:
		return nil, usage("change the spec, and lock it again", "--locked copies what the lock pins and nothing else")
	}
	return lockedSelections(config.LockPath(c.Spec), spec)
}

const lockAnew = `"oras-mirror lock -f SPEC" locks what is there now`

// drift makes exit code 4 of a locked run that failed because something that is
// pinned is gone. What failed has been said.
func (c *backupCommand) drift(u *ui, r *engine.Report, err error) error {
	if !c.Locked || !is[status](err) {
		return err
	}
	for _, f := range r.Failures() {
		if errors.Is(f.Err, errdef.ErrNotFound) {
			u.hint(lockAnew)
			return statusDrift
		}
	}
	return err
}

// lockedSelections reads a lock. What it pins comes from the registries, but for
// what the spec takes from a layout on disk, which must be as it was.
func lockedSelections(path string, spec *config.Spec) ([]config.Selection, error) {
	lock, err := loadLock(path)
	if err != nil {
		return nil, err
	}
	all, err := spec.Selections()
	if err != nil {
		return nil, err
	}
	local, err := localSelections(path, lock, all)
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

// driftError says that something is not what the lock says.
type driftError struct{ lock, reference, reason string }

func (e *driftError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.reference, e.lock, e.reason)
}

// local is what a lock pins of layouts on disk.
type local struct {
	selections []config.Selection
	names      map[string]bool // in the lock
}

// localSelections holds the layouts that a spec names against its lock.
func localSelections(path string, lock *config.Lock, all []config.Selection) (local, error) {
	pins := make(map[string]digest.Digest)
	for _, a := range lock.Artifacts {
		pins[a.Reference.EntryName()] = a.Digest
	}
	l := local{names: make(map[string]bool)}
	for _, s := range all {
		if s.Layout == "" {
			continue
		}
		names, err := namesIn(s)
		if err != nil {
			return l, err
		}
		for _, t := range names {
			switch pin := pins[t.Reference]; {
			case pin == "":
				return l, &driftError{path, t.Reference, "it is in " + s.Layout + " and not locked"}
			case pin != t.Digest:
				return l, &driftError{path, t.Reference, "locked with the digest " + pin.String() + ", in " + s.Layout + " it has " + t.Digest.String()}
			}
			l.names[t.Reference] = true
		}
		l.selections = append(l.selections, s)
	}
	return l, nil
}

// namesIn lists what a selection takes from a layout, by full references.
func namesIn(s config.Selection) ([]tagged, error) {
	in, err := store.OpenLayout(s.Layout, store.OpenOptions{})
	if err != nil {
		return nil, err
	}
	var all []tagged
	for _, a := range engine.Listed(in, s.Layout, s.Reference) {
		if a.Err == nil { // else it fails when its turn comes
			all = append(all, tagged{Reference: a.Reference.EntryName(), Digest: a.Digest})
		}
	}
	return all, in.Close()
}
