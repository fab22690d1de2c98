package cli

import (
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// planDocument is the output of "plan --format json", as in schemas/plan.schema.json.
type planDocument struct {
	report.Header
	Artifacts []planArtifact   `json:"artifacts"`
	Removed   []inventory.Name `json:"removed,omitempty"` // artifacts only in the bundle that would be replaced
	Totals    planTotals       `json:"totals"`
	Space     *space           `json:"space,omitempty"`
	Newest    []planNewest     `json:"newest,omitempty"`
	Shards    []planShard      `json:"shards,omitempty"`    // with --shard all/N
	Unmatched []string         `json:"unmatched,omitempty"` // repositories that no policy matches
	Changes   bool             `json:"changes"`
}

// planTotals has the sums over the artifacts of a plan, under the names that the report has them.
type planTotals struct {
	Artifacts     int   `json:"artifacts"`
	New           int   `json:"new"`
	Changed       int   `json:"changed"`
	Unchanged     int   `json:"unchanged"`
	Failed        int   `json:"failed"`
	Removed       int   `json:"removed"`
	DistinctBytes int64 `json:"distinctBytes"`        // everything selected, each manifest and blob once
	SharedBytes   int64 `json:"sharedBytes"`          // content of several artifacts, once for each but the first
	ExistingBytes int64 `json:"existingBytes"`        // distinct content that is there already
	LocalBytes    int64 `json:"localBytes,omitempty"` // distinct content in layouts on disk
	BaseBytes     int64 `json:"baseBytes,omitempty"`  // with --base: distinct content that a delta leaves out
	BaseBlobs     int   `json:"baseBlobs,omitempty"`
	ExpectedBytes int64 `json:"expectedBytes"` // bytes to copy
	ExpectedBlobs int   `json:"expectedBlobs"` // blobs to copy
	Requests      int   `json:"requests"`
	Parts         int   `json:"parts,omitempty"` // with --part-size
}

type planArtifact struct {
	Reference string          `json:"reference"`
	Target    string          `json:"target,omitempty"`
	Mirror    string          `json:"mirror,omitempty"` // the one that answered for the reference
	Status    engine.State    `json:"status"`
	Digest    digest.Digest   `json:"digest,omitempty"`
	MediaType string          `json:"mediaType,omitempty"`
	Size      int64           `json:"size"`                // bytes
	Platforms []string        `json:"platforms,omitempty"` // selected from an index; all without any
	Sparse    bool            `json:"sparse,omitempty"`    // restore: the bundle lacks the other platforms of the index
	Rewritten bool            `json:"rewritten,omitempty"` // restore: pushes an index of only those platforms
	Referrers []plannedDigest `json:"referrers,omitempty"`
	From      string          `json:"from,omitempty"`  // where the reference was found, such as the file and the line of a manifest
	Shard     string          `json:"shard,omitempty"` // with --shard all/N
	Error     string          `json:"error,omitempty"`
}

// plannedDigest is a referrer in a plan.
type plannedDigest struct {
	Digest digest.Digest `json:"digest"`
}

// planNewest names the order by which tags.latest finds the newest: semver, that of tags.sort,
// or the list of the registry.
type planNewest struct {
	Repository string `json:"repository"`
	Latest     int    `json:"latest"`
	Order      string `json:"order"`
}

// document returns the plan for a program.
func (p *shownPlan) document() planDocument {
	d := planDocument{Header: report.NewHeader("Plan"), Artifacts: []planArtifact{}, Removed: p.dropped, Totals: p.totals(), Space: p.space,
		Shards: p.shards(), Unmatched: p.unmatched, Changes: p.changes()}
	for _, o := range p.forecast.Artifacts {
		d.Artifacts = append(d.Artifacts, p.artifact(o))
	}
	for _, n := range p.forecast.Newest {
		d.Newest = append(d.Newest, planNewest{n.Repository, n.Count, n.Order})
	}
	return d
}

// artifact returns an artifact of the plan for a program.
func (p *shownPlan) artifact(o engine.Outlook) planArtifact {
	a := planArtifact{Reference: o.Name, Target: o.Target, Mirror: o.Mirror, Status: o.State, Digest: o.Digest, MediaType: o.MediaType,
		Sparse: p.restores && len(o.Platforms) > 0, Rewritten: o.Rewritten, Size: o.Size, Platforms: text.Strings(o.Platforms), From: o.From}
	for _, d := range o.Referrers {
		a.Referrers = append(a.Referrers, plannedDigest{d})
	}
	if n := len(p.forecast.Shards); n > 0 {
		a.Shard = fmt.Sprintf("%d/%d", o.Shard, n)
	}
	if o.Err != nil {
		a.Error = o.Err.Error()
	}
	return a
}

// totals returns the sums of the plan for a program.
func (p *shownPlan) totals() planTotals {
	f, counts := p.forecast, p.counts()
	return planTotals{Artifacts: len(f.Artifacts), New: counts[engine.StateNew], Changed: counts[engine.StateChanged],
		Unchanged: counts[engine.StateUnchanged], Failed: counts[engine.StateFailed], Removed: len(p.dropped),
		DistinctBytes: f.Distinct, SharedBytes: f.Shared, ExistingBytes: f.There, LocalBytes: f.Near, BaseBytes: f.Left, BaseBlobs: f.LeftBlobs,
		ExpectedBytes: f.Transfer, ExpectedBlobs: f.Transfers, Requests: f.Requests, Parts: f.Files}
}
