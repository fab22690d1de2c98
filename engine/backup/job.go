package backup

import (
	"errors"
	"sync"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/plan"
)

// job records the backup of one artifact.
type job struct {
	*plan.Artifact
	pending   int  // blobs that are not there yet
	referrers int  // that are whole, of an artifact that lacks some
	fetched   bool // some of its blobs were not there before
	done      bool // the artifact is whole in the output
	present   bool // and was there before
}

// report returns the result of one artifact.
func (j *job) report() engine.ArtifactReport {
	r := j.Artifact.Report()
	r.Unchanged = j.present
	if isReferrers(j.Err) {
		r.Referrers = j.referrers
	}
	return r
}

// isReferrers reports whether an artifact was copied and lacks only referrers.
func isReferrers(err error) bool {
	_, is := errors.AsType[*engine.ReferrersError](err)
	return is
}

// blobJob records the backup of one blob.
type blobJob struct {
	waiting []*job
	state   blobState
	isNear  bool // a repository that needs it here has it in the base
}

type blobState uint8

const (
	blobUnknown blobState = iota
	blobQueued
	blobParked // until a rival is done
	blobLeft   // the base has it
	blobLater  // it failed, and is retried once the plan is complete
	blobDone   // or failed, with the Err of the blob
)

// records holds a record for each number from 0 on, in pieces that never move: a slice
// that grows would need twice its memory. The zero value is empty.
type records[T any] struct {
	mu     sync.Mutex // guards pieces
	pieces []*[recordPiece]T
}

// recordPiece is small, so that a run of one artifact takes little.
const recordPiece = 64

// at returns the record of a number, which is zero at first.
func (r *records[T]) at(n int) *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.pieces) <= n/recordPiece {
		r.pieces = append(r.pieces, new([recordPiece]T))
	}
	return &r.pieces[n/recordPiece][n%recordPiece]
}
