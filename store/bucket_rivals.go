package store

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// maxRefusals bounds the writes in a row that a store refuses although the object is the one
// that was read. With their pauses they take about half a minute.
const maxRefusals = 8

// RefusedError reports an object store that refuses each write with a condition, also if
// nothing has changed the object.
type RefusedError struct {
	Path string // of the object
}

func (e *RefusedError) Error() string {
	return e.Path + ": the object store refuses to write although no other process has changed the object"
}

// refusals counts the writes that a store has refused, for as long as the object has the
// same bytes.
type refusals struct {
	path string
	sum  digest.Digest
	n    int
}

// met counts a refusal. The sum is that of the object as it was read after it.
func (r *refusals) met(sum digest.Digest) error {
	if sum != r.sum {
		r.sum, r.n = sum, 0
	}
	if r.n++; r.n > maxRefusals {
		return &RefusedError{Path: r.path}
	}
	return nil
}

const (
	// firstRivalPause bounds the pause before index.json is written again. Without a random
	// pause sixteen writers of 40 MiB need 136 attempts, with one 42.
	firstRivalPause = 200 * time.Millisecond
	maxRivalPause   = 10 * time.Second
)

// PrunedError reports that prune has removed, or is about to remove, blobs that a run relied
// on.
type PrunedError struct {
	Path  string // of the layout
	Blobs int
}

func (e *PrunedError) Error() string {
	return e.Path + ": another process has pruned blobs that this run found in the bucket"
}
