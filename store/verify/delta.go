package verify

import (
	"errors"

	"github.com/oras-mirror/oras-mirror/store/delta"
)

// IsLeft reports whether a blob is left to the base of a delta, and notes it.
func (v *Verifier) IsLeft(n *Blob) bool {
	if n.Manifest || v.Delta == nil || v.Delta.Holds(n.Digest) || !v.source.Absent(n.Digest) {
		return false
	}
	n.Read, n.left = true, true
	return true
}

// listFaults returns a fault for each list of a delta that cannot be read.
func (v *Verifier) listFaults() []Fault {
	var faults []Fault
	for _, err := range split(v.Lists) {
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
