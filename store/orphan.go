package store

import (
	"cmp"
	"fmt"
	"slices"
)

// OrphanError reports a delta whose base is not among the inputs, although others are.
type OrphanError struct {
	Delta string // its path
	Base  string // the name of its base; may be ""
}

func (e *OrphanError) Error() string {
	return fmt.Sprintf("%s needs %s, which is not among the inputs", e.Delta, cmp.Or(e.Base, "its base"))
}

// findOrphan notes a delta whose base is absent, unless all inputs are deltas.
func (u *Union) findOrphan(l *lineage, indexes []*Index) {
	isFull := func(x *Index) bool { return !x.IsDelta() }
	if len(l.absent) > 0 && slices.ContainsFunc(indexes, isFull) {
		base := l.absent[0]
		u.orphan = &OrphanError{Delta: u.inputs[base.delta].path, Base: base.name}
	}
}

// CheckBases returns an *OrphanError if a union has a delta without its base, beside a layout
// that is no delta: together they are neither.
func CheckBases(l Layout) error {
	if u, ok := l.(*Union); ok && u.orphan != nil {
		return u.orphan
	}
	return nil
}
