package engine

import (
	"errors"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Report describes a finished run, artifact by artifact, in the order of the plan.
type Report struct {
	Artifacts []ArtifactReport
	// Planned says that Artifacts is complete: a run that ended early may not have listed
	// everything yet.
	Planned bool
	// Referrers counts the signatures, SBOMs and other referrers that were copied, and
	// Expected those that should have been.
	Referrers, Expected int
	// Moved is the number of blob and manifest bytes that went over the network.
	Moved int64
	// Shared is the number of bytes that artifacts have in common, counted once for
	// each but the first.
	Shared int64
	// There is the number of bytes that were there already, in the output or in the
	// registries of the targets, counted once.
	There int64
	// Left is the number of bytes of the blobs that a delta leaves to its base, and LeftBlobs
	// their number, each counted once.
	Left      int64
	LeftBlobs int
	// Unchanged counts the artifacts that were there already, whole, and Overwritten
	// those whose tag had another digest in the target.
	Unchanged, Overwritten int
	Duration               time.Duration
	// Output is the path that was written, or the targets, comma-separated.
	Output string
	// Parts are the files of a bundle in parts; nil for any other output.
	Parts []Part
	// Incomplete says that Output is not the path that was asked for: a bundle that lacks
	// an artifact is written beside the one that it would have replaced.
	Incomplete bool
	// Newest records, for a backup, the order by which the newest tags were found.
	Newest []Newest
}

// Part is a file of a bundle in parts.
type Part struct {
	Path string
	Size int64 // bytes
}

// ArtifactReport describes the outcome of one artifact.
type ArtifactReport struct {
	Reference string        // the full source reference
	Layout    string        // the layout on disk that it comes from; "" for a registry
	Mirror    string        // of the registry, that answered for the reference; "" for the registry itself
	From      string        // where the reference was found, such as a chart; "" for a spec, an argument and a layout
	Pinned    bool          // it was asked for by tag and digest, and Digest is that one
	Target    string        // of a restore: where it went
	Digest    digest.Digest // of its root; empty if it was not resolved
	Bytes     int64         // of its graph as far as it was read, whatever it shares with others
	Referrers int           // that came along; those with a tag of cosign's among them
	Expected  int           // that were to; more of them than came make an Err
	Unchanged bool          // it was there already, whole
	SignedBy  []string      // the signers that a policy accepted, sorted; nil: no policy asked
	Err       error         // nil: whole

	// Overwritten is the digest that the tag of a target had before; empty if it had nothing
	// else. With RestoreOptions.DryRun it would be overwritten.
	Overwritten digest.Digest
}

// Operation names the operation that failed, in the words of [ArtifactError]; "" if none did.
func (a ArtifactReport) Operation() string {
	if artifact, is := a.Err.(*ArtifactError); is && artifact.Op == OpVerify { // whatever kept it from being verified
		return OpVerify
	}
	switch err := a.Err; {
	case is[*ReadbackError](err):
		return OpVerify
	case is[*ReferrersError](err):
		return "referrers"
	case is[*CorruptError](err):
		return "read"
	case is[*NameError](err) || is[*EntryNameError](err) || is[*oci.NameError](err):
		return "name"
	}
	if remote, is := errors.AsType[*registry.Error](a.Err); is {
		return remote.Op
	}
	if artifact, is := errors.AsType[*ArtifactError](a.Err); is {
		return artifact.Op
	}
	switch {
	case is[*SelectionError](a.Err):
		return "select"
	case a.Err != nil:
		return "copy"
	}
	return ""
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

// Newest records the order by which the newest tags of a repository were found.
type Newest struct {
	Repository string // the full name
	Count      int    // how many were asked for
	Order      string // filter.OrderSemver, filter.OrderList, or an order of filter.Sort
}
