package cli

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/metrics"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// metricsFile makes the file of the metrics.
func (c *verifyCommand) metricsFile(u *console.Console) (*metrics.File, error) {
	path, err := expandPath("--metrics", c.Metrics, nil)
	if err != nil || path == "" {
		return nil, err
	}
	spec, err := config.Load(c.Spec)
	if err != nil { // the run says why
		spec = nil
	}
	used := slices.Concat(inputFiles(&c.InputFlags), overwrite.SpecFiles(c.Spec, spec), []overwrite.File{{What: "the statement", Path: c.Statement}})
	return metrics.New(path, metrics.Options{Command: "verify", Used: used, StdoutClosed: u.StdoutClosed})
}

// collect returns a function that adds artifacts to a report for the metrics and the document;
// nil without them, since a large input has many.
func (c *verifyCommand) collect(done *engine.Report) func(reference string, root digest.Digest, size func() int64) {
	if c.Metrics == "" && c.document == nil {
		return nil
	}
	return func(reference string, root digest.Digest, size func() int64) {
		one := engine.ArtifactReport{Reference: reference, Digest: root}
		if c.Metrics != "" {
			one.Bytes = size()
		}
		done.Artifacts = append(done.Artifacts, one)
	}
}

// addFaults adds to the report of a verification its faults, and the artifacts that no policy
// accepts.
func addFaults(done *engine.Report, v *verify.Result, signed []signature) {
	done.Moved = v.Bytes
	faulty := make(map[string]error, len(v.Faults))
	for _, f := range v.Faults {
		faulty[f.Reference] = f.Err
	}
	for _, a := range signed {
		if a.Err != nil {
			faulty[a.Reference] = a.Err
		}
	}
	for i := range done.Artifacts {
		done.Artifacts[i].Err = faulty[done.Artifacts[i].Reference]
	}
}
