package report

import (
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/version"
)

// Document is schemas/report.schema.json.
type Document struct {
	APIVersion      string     `json:"apiVersion"`
	Kind            string     `json:"kind"`
	Command         string     `json:"command"` // backup or restore
	Version         Version    `json:"version"`
	Started         time.Time  `json:"started"`
	DurationSeconds float64    `json:"durationSeconds"`
	Input           string     `json:"input,omitempty"`
	Output          string     `json:"output,omitempty"`
	Targets         []string   `json:"targets,omitempty"`
	Planned         bool       `json:"planned"`              // false: the run ended before all artifacts were known
	Incomplete      bool       `json:"incomplete,omitempty"` // the output stands beside the bundle that it does not replace
	Error           string     `json:"error,omitempty"`      // of the run as a whole
	Artifacts       []Artifact `json:"artifacts"`
	Totals          Totals     `json:"totals"`
}

type Version struct {
	OrasMirror string `json:"orasMirror"`
	Go         string `json:"go"`
	OrasGo     string `json:"orasGo"`
}

type Artifact struct {
	Reference string        `json:"reference"`
	Layout    string        `json:"layout,omitempty"`
	Target    string        `json:"target,omitempty"`
	Digest    digest.Digest `json:"digest,omitempty"`
	Pinned    bool          `json:"pinned,omitempty"`
	// Overwritten is the digest that the tag of the target had before.
	Overwritten digest.Digest `json:"overwritten,omitempty"`
	Bytes       int64         `json:"bytes"`
	Referrers   int           `json:"referrers"`
	Expected    int           `json:"referrersExpected"`
	Status      string        `json:"status"`
	Operation   string        `json:"operation,omitempty"`
	Error       string        `json:"error,omitempty"`
}

// What became of an artifact.
const (
	statusCopied    = "copied"
	statusUnchanged = "unchanged"
	statusFailed    = "failed"
)

type Totals struct {
	Artifacts   int   `json:"artifacts"`
	Copied      int   `json:"copied"`
	Unchanged   int   `json:"unchanged"`
	Overwritten int   `json:"overwritten,omitempty"`
	Failed      int   `json:"failed"`
	Referrers   int   `json:"referrers"`
	Expected    int   `json:"referrersExpected"`
	MovedBytes  int64 `json:"movedBytes"`
	SharedBytes int64 `json:"sharedBytes"`
	ThereBytes  int64 `json:"thereBytes"`
}

// artifactOf makes the part of a report or an event about an artifact.
func artifactOf(a engine.ArtifactReport, hide func(string) string) Artifact {
	one := Artifact{Reference: a.Reference, Layout: a.Layout, Target: a.Target, Digest: a.Digest, Pinned: a.Pinned, Overwritten: a.Overwritten,
		Bytes: a.Bytes, Referrers: a.Referrers, Expected: a.Expected, Status: statusCopied}
	switch {
	case a.Err != nil:
		one.Status, one.Operation, one.Error = statusFailed, a.Operation(), hide(a.Err.Error())
	case a.Unchanged:
		one.Status = statusUnchanged
	}
	return one
}

// Failed lists what the run did not get whole.
func (d *Document) Failed() []Artifact {
	var failed []Artifact
	for _, a := range d.Artifacts {
		if a.Status == statusFailed {
			failed = append(failed, a)
		}
	}
	return failed
}

// readReportVersion says what made a report.
func readReportVersion() Version {
	info := version.Read()
	v := Version{OrasMirror: info.Version, Go: info.Go, OrasGo: "unknown"}
	if version := info.Libraries["oras.land/oras-go/v2"]; version != "" {
		v.OrasGo = version
	}
	return v
}
