package engine

import (
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/lockfile"
)

// Quarantine keeps tags that are too new out of a plan, for selections with a minAge. The lock
// before it says which tags are known, and since when.
type Quarantine struct {
	Before *lockfile.Lock // never nil
	Today  string         // lockfile.Today
}

// Waiting is a tag that is too new to be selected.
type Waiting struct {
	lockfile.Pending
	Until string // the first day on which it is selected
}

// Unite sorts what waits by reference, and keeps one of those that wait for two selections: the
// one that waits longest.
func Unite(all []Waiting) []Waiting {
	slices.SortFunc(all, func(a, b Waiting) int {
		if by := strings.Compare(a.Reference.String(), b.Reference.String()); by != 0 {
			return by
		}
		return strings.Compare(b.Until, a.Until)
	})
	return slices.CompactFunc(all, func(a, b Waiting) bool { return a.Reference == b.Reference })
}
