package cli

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// planDocument is the output of "plan --format json". Sizes are in bytes.
type planDocument struct {
	Artifacts []planArtifact   `json:"artifacts"`
	Dropped   []inventory.Name `json:"dropped,omitempty"` // artifacts only in the bundle that would be replaced
	Distinct  int64            `json:"distinct"`          // everything selected, each manifest and blob once
	Shared    int64            `json:"shared"`            // content of several artifacts, once for each but the first
	There     int64            `json:"there"`             // distinct content that is there already
	Local     int64            `json:"local,omitempty"`   // distinct content in layouts on disk
	Left      *leftToBase      `json:"left,omitempty"`    // with --base: distinct content that a delta leaves out
	Transfer  int64            `json:"transfer"`          // bytes to copy
	Transfers int              `json:"transfers"`         // blobs to copy
	Requests  int              `json:"requests"`
	Space     *space           `json:"space,omitempty"`
	Newest    []planNewest     `json:"newest,omitempty"`
	Shards    []planShard      `json:"shards,omitempty"` // with --shard all/N
	Changes   bool             `json:"changes"`
}

// leftToBase is the content that a delta leaves to its base.
type leftToBase struct {
	Blobs int   `json:"blobs"`
	Bytes int64 `json:"bytes"`
}

type planArtifact struct {
	Reference string          `json:"reference"`
	Target    string          `json:"target,omitempty"`
	Mirror    string          `json:"mirror,omitempty"` // the one that answered for the reference
	State     engine.State    `json:"state"`
	Digest    digest.Digest   `json:"digest,omitempty"`
	MediaType string          `json:"mediaType,omitempty"`
	Size      int64           `json:"size"`
	Platforms []string        `json:"platforms,omitempty"` // selected from an index; all without any
	Sparse    bool            `json:"sparse,omitempty"`    // restore: the bundle lacks the other platforms of the index
	Rewritten bool            `json:"rewritten,omitempty"` // restore: pushes an index of only those platforms
	Referrers []digest.Digest `json:"referrers,omitempty"`
	From      string          `json:"from,omitempty"`  // where the reference was found, such as the file and the line of a manifest
	Shard     *int            `json:"shard,omitempty"` // its index, with --shard all/N
	Error     string          `json:"error,omitempty"`
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
	f := p.forecast
	d := planDocument{Artifacts: []planArtifact{}, Dropped: p.dropped, Distinct: f.Distinct, Shared: f.Shared, There: f.There, Local: f.Near,
		Transfer: f.Transfer, Transfers: f.Transfers, Requests: f.Requests, Space: p.space, Changes: p.changes()}
	d.Shards = p.shards()
	if f.LeftBlobs > 0 {
		d.Left = &leftToBase{f.LeftBlobs, f.Left}
	}
	for _, o := range f.Artifacts {
		a := planArtifact{Reference: o.Name, Target: o.Target, Mirror: o.Mirror, State: o.State, Digest: o.Digest, MediaType: o.MediaType,
			Sparse: p.restores && len(o.Platforms) > 0, Rewritten: o.Rewritten,
			Size: o.Size, Platforms: text.Strings(o.Platforms), Referrers: o.Referrers, From: o.From}
		if len(f.Shards) > 0 {
			a.Shard = &o.Shard
		}
		if o.Err != nil {
			a.Error = o.Err.Error()
		}
		d.Artifacts = append(d.Artifacts, a)
	}
	for _, n := range f.Newest {
		d.Newest = append(d.Newest, planNewest{n.Repository, n.Count, n.Order})
	}
	return d
}
