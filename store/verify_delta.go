package store

import (
	"errors"
	"fmt"

	"github.com/oras-mirror/oras-mirror/store/delta"
)

// SizesError says that manifests name a blob, which a delta leaves to its base, with different
// sizes. At most one is right.
type SizesError struct{ One, Other int64 }

func (e *SizesError) Error() string {
	return fmt.Sprintf("has %d bytes in one manifest, and %d in another", min(e.One, e.Other), max(e.One, e.Other))
}

// isLeft reports whether a blob is left to the base of a delta, and notes it.
func (v *verifier) isLeft(n *reachedBlob) bool {
	if n.manifest || v.delta == nil || v.delta.Holds(n.digest) || !v.source.absent(n.digest) {
		return false
	}
	n.read, n.left = true, true
	return true
}

// listFaults returns a fault for each list of a delta that cannot be read.
func (v *verifier) listFaults() []Fault {
	var faults []Fault
	for _, err := range split(v.lists) {
		if list, is := errors.AsType[*delta.Error](err); is {
			faults = append(faults, Fault{Reference: string(list.List), Digest: list.List, Err: err})
		}
	}
	return faults
}

// split returns the errors that errors.Join has joined.
func split(err error) []error {
	if joined, is := err.(interface{ Unwrap() []error }); is {
		return joined.Unwrap()
	}
	return []error{err}
}
