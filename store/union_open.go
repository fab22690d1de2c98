package store

import (
	"errors"

	"github.com/oras-mirror/oras-mirror/internal/disk"
)

// OpenUnion opens several layouts as one. A single one stays what it is. The parts of a bundle
// count as one layout; see Faults.
func OpenUnion(paths []string, open func(path string) (Layout, error)) (Layout, error) {
	all, faults, err := OpenMembers(paths, open)
	if err != nil {
		return nil, err
	}
	if len(all) == 1 {
		return addFaults(all[0].Layout, faults), nil
	}
	u, err := Unite(all)
	if err != nil {
		CloseMembers(all)
		return nil, err
	}
	return addFaults(u, faults), nil
}

// OpenMembers opens several layouts. The parts of a bundle are one of them; what is wrong with
// some of these is in faults.
func OpenMembers(paths []string, open func(path string) (Layout, error)) (all []Member, faults []error, err error) {
	if all, faults, err = openMembers(paths, open); err != nil {
		CloseMembers(all)
		return nil, nil, err
	}
	all, faults = joinParts(all, faults)
	return all, faults, nil
}

// CloseMembers closes layouts that were only read.
func CloseMembers(all []Member) {
	for _, m := range all {
		_ = m.Layout.Close() // it was only read
	}
}

// openMembers opens layouts. If there are parts of a bundle among them, those that cannot be
// read are faults.
func openMembers(paths []string, open func(path string) (Layout, error)) (all []Member, faults []error, err error) {
	parts := false
	for _, path := range paths {
		l, err := open(path)
		if _, unreadable := errors.AsType[*InputError](err); unreadable && !disk.IsTooManyFiles(err) && !IsPassing(err) {
			faults = append(faults, err)
			continue
		}
		if err != nil {
			return all, nil, err
		}
		parts = parts || partOf(l) != nil
		shareHead(all, l)
		all = append(all, Member{path, l})
	}
	if !parts && len(faults) > 0 {
		return all, nil, faults[0]
	}
	return all, faults, nil
}

// Faults returns what is wrong with the inputs that were opened as one: parts of a bundle that
// are missing, cannot be read or belong to another bundle. The layout lacks their blobs. Those of
// a stream are known when it was read.
func Faults(in Input) []error {
	switch in := in.(type) {
	case *Union:
		return in.faults
	case *Stream:
		return in.lacking()
	}
	return nil
}

// addFaults adds faults to a layout that unites several.
func addFaults(l Layout, faults []error) Layout {
	if u, ok := l.(*Union); ok {
		u.faults = faults
	}
	return l
}

// shareHead frees the memory for what a part has in common with one that was opened before.
func shareHead(all []Member, l Layout) {
	part := partOf(l)
	if part == nil {
		return
	}
	for _, m := range all {
		other := partOf(m.Layout)
		if other == nil || other.Set != part.Set {
			continue
		}
		l, first := l.(*archiveLayout), m.Layout.(*archiveLayout)
		l.reader.ShareHead(first.reader)
		if l.indexDigest == first.indexDigest {
			l.index.Release()
			l.index = first.index
		}
		return
	}
}
