package engine

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// Report is what a run did, artifact by artifact, in the order of the plan.
type Report struct {
	Artifacts []ArtifactReport
	// Referrers counts the signatures, SBOMs and the like that came along.
	Referrers int
	// Moved is the number of blob and manifest bytes that went over the network.
	Moved int64
	// Shared is the number of bytes that did not have to: more than one artifact
	// has them, or they were there already.
	Shared int64
	// Unchanged counts the artifacts that were there already, whole.
	Unchanged int
	Duration  time.Duration
	// Output is the path that was written, or the targets, comma-separated.
	Output string
	// Incomplete is set where Output is not what was asked for: a bundle that
	// lacks an artifact stands beside the one it would have replaced.
	Incomplete bool
}

// ArtifactReport is what became of one artifact.
type ArtifactReport struct {
	Reference string        // the full source reference
	Target    string        // of a restore: where it went
	Digest    digest.Digest // of its root; empty if it was not resolved
	Bytes     int64         // of its graph, whatever it shares with others
	Referrers int
	Err       error // nil: whole
}

// Failures returns the artifacts that are not whole.
func (r *Report) Failures() []ArtifactReport {
	var failed []ArtifactReport
	for _, a := range r.Artifacts {
		if a.Err != nil {
			failed = append(failed, a)
		}
	}
	return failed
}
