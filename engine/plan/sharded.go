package plan

import (
	"slices"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
)

// inShard returns the selections whose repositories belong to the shard, so that no tags of
// others are listed. A layout has artifacts of any repository, and every shard reports a
// catalog that failed: its repositories are unknown.
func (p *Planner) inShard(all []config.Selection) []config.Selection {
	var ours []config.Selection
	for _, s := range all {
		if s.Registry == "" && s.Layout == "" {
			p.noteDivided(s.Reference)
		}
		if s.Registry != "" || s.Layout != "" || p.shard.HasSource(s.Reference) {
			ours = append(ours, s)
		}
	}
	return ours
}

// leaveOut removes the artifacts of a layout that belong to other shards. Every shard reports
// a layout that cannot be read.
func (p *Planner) leaveOut(s config.Selection, e *expansion) {
	if s.Layout == "" || e.err != nil {
		return
	}
	for _, r := range e.refs {
		p.noteDivided(r)
	}
	e.refs = slices.DeleteFunc(e.refs, func(r config.Reference) bool { return !p.shard.HasSource(r) })
	e.faulty = slices.DeleteFunc(e.faulty, func(r origin.Root) bool {
		if r.Ref.Registry == "" {
			return !p.shard.HasSource(config.Reference{Repository: r.Name()})
		}
		return !p.shard.HasSource(r.Ref)
	})
}

// noteDivided records a repository of any shard. Artifacts of one mostly follow each other.
func (p *Planner) noteDivided(ref config.Reference) {
	ref.Tag, ref.Digest = "", ""
	if n := len(p.Divided); p.shard != nil && (n == 0 || p.Divided[n-1] != ref) {
		p.Divided = append(p.Divided, ref)
	}
}
