// Package report is everything a program reads about a run: the report of --report, a
// document that says how each artifact ended, and the events of --format json, one object a
// line. Both hide secrets.
package report

import (
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
)

// Document is a report, as in schemas/report.schema.json.
type Document struct {
	Header
	Command         string            `json:"command"` // backup, restore or sync
	Version         Version           `json:"version"`
	Go              string            `json:"go"`        // the version of Go that the program was built with
	Libraries       map[string]string `json:"libraries"` // the version of oras-go, by module
	Started         time.Time         `json:"started"`
	DurationSeconds float64           `json:"durationSeconds"`
	Input           string            `json:"input,omitempty"`
	Output          string            `json:"output,omitempty"`
	Parts           []Part            `json:"parts,omitempty"` // of a bundle in parts
	Targets         []string          `json:"targets,omitempty"`
	Shard           string            `json:"shard,omitempty"`      // the part of the plan, such as 1/4
	Planned         bool              `json:"planned"`              // all artifacts of the run were known when it ended
	Incomplete      bool              `json:"incomplete,omitempty"` // the output is a .partial file beside the bundle that it does not replace
	Error           string            `json:"error,omitempty"`      // of the run as a whole
	Artifacts       []Artifact        `json:"artifacts"`
	Totals          Totals            `json:"totals"`
}

// Part is a file of a bundle in parts.
type Part struct {
	File string `json:"file"`
	Size int64  `json:"size"` // bytes
}

// Artifact is the part of a report or an event about one artifact.
type Artifact struct {
	Reference string        `json:"reference"`
	Layout    string        `json:"layout,omitempty"`
	Mirror    string        `json:"mirror,omitempty"`
	Target    string        `json:"target,omitempty"`
	From      string        `json:"from,omitempty"` // where the reference was found, such as a chart
	Digest    digest.Digest `json:"digest,omitempty"`
	Pinned    bool          `json:"pinned,omitempty"`
	// Previous is the digest that the tag had in the target before.
	Previous  digest.Digest `json:"previousDigest,omitempty"`
	Size      int64         `json:"size"` // bytes of its graph
	Referrers int           `json:"referrersCopied"`
	Expected  int           `json:"referrersExpected"`
	Status    string        `json:"status"`
	SignedBy  []string      `json:"signedBy,omitempty"` // the signers that a policy accepted
	Operation string        `json:"operation,omitempty"`
	Error     string        `json:"error,omitempty"`
}

// The values of Artifact.Status.
const (
	statusCopied    = "copied"
	statusUnchanged = "unchanged"
	statusFailed    = "failed"
)

// Totals has the sums over the artifacts of a run.
type Totals struct {
	Artifacts     int   `json:"artifacts"`
	Copied        int   `json:"copied"`
	Unchanged     int   `json:"unchanged"`
	Overwritten   int   `json:"overwritten,omitempty"`
	Failed        int   `json:"failed"`
	Referrers     int   `json:"referrersCopied"`
	Expected      int   `json:"referrersExpected"`
	MovedBytes    int64 `json:"movedBytes"`
	SharedBytes   int64 `json:"sharedBytes"`
	ExistingBytes int64 `json:"existingBytes"`
	BaseBytes     int64 `json:"baseBytes,omitempty"`
	BaseBlobs     int   `json:"baseBlobs,omitempty"`
}

// artifactOf converts an artifact of the engine.
func artifactOf(a engine.ArtifactReport, hide func(string) string) Artifact {
	one := Artifact{Reference: a.Reference, Layout: a.Layout, Mirror: a.Mirror, Target: a.Target, From: a.From, Digest: a.Digest, Pinned: a.Pinned, Previous: a.Overwritten,
		Size: a.Bytes, Referrers: a.Referrers, Expected: a.Expected, SignedBy: a.SignedBy, Status: statusCopied}
	switch {
	case a.Err != nil:
		one.Status, one.Operation, one.Error = statusFailed, a.Operation(), hide(a.Err.Error())
	case a.Unchanged:
		one.Status = statusUnchanged
	}
	return one
}

// Failed returns the artifacts that failed.
func (d *Document) Failed() []Artifact {
	var failed []Artifact
	for _, a := range d.Artifacts {
		if a.Status == statusFailed {
			failed = append(failed, a)
		}
	}
	return failed
}
