package backup

import (
	"context"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

func (b *backup) report(took time.Duration) *engine.Report {
	r := &engine.Report{Planned: b.planner.Listed, Moved: b.moved.Load(), Duration: took, Output: b.output, Parts: b.parts, Incomplete: b.partial, Newest: b.planner.Newest()}
	have := possessions{isLeft: func(blob *graph.Blob) bool { return b.blobJob(blob).state == blobLeft }, needsBase: b.needsBase}
	for _, a := range b.planner.All {
		one := b.job(a).report()
		r.Artifacts = append(r.Artifacts, one)
		r.Referrers += one.Referrers
		r.Expected += one.Expected
		if one.Err == nil || isReferrers(one.Err) { // the size of a failed artifact is only a claim of its manifest
			r.Shared = bounds.Sum(r.Shared, max(0, one.Bytes-have.add(a)))
		}
		if one.Unchanged && one.Err == nil {
			r.Unchanged++
		}
	}
	r.There, r.Left, r.LeftBlobs = have.there, have.left, have.leftBlobs
	return r
}

// possessions counts the manifests and blobs of artifacts, each once. Each records whether it
// was counted: a set of those of 100,000 artifacts would take memory.
type possessions struct {
	there     int64 // bytes of them that the output had before
	left      int64 // and that the base has
	leftBlobs int
	isLeft    func(*graph.Blob) bool
	needsBase func(*graph.Blob) bool
}

// add returns how many bytes of an artifact no artifact before it has.
func (p *possessions) add(a *plan.Artifact) (fresh int64) {
	if a.Visit == nil || a.Visit.Err != nil {
		return 0
	}
	count := func(size int64, held bool) {
		fresh = bounds.Sum(fresh, size)
		if held {
			p.there = bounds.Sum(p.there, size)
		}
	}
	a.Visit.All(func(v *graph.Visit) {
		if n := v.Node; !n.Counted {
			n.Counted = true
			count(n.Size, !n.Near && !n.Came)
		}
		for _, b := range v.Blobs() {
			if b.Counted {
				continue
			}
			b.Counted = true
			left := p.isLeft(b)
			count(b.Size, b.Held && !left)
			if left && p.needsBase(b) {
				p.left, p.leftBlobs = bounds.Sum(p.left, b.Size), p.leftBlobs+1
			}
		}
	})
	return fresh
}

// unfinished gives [engine.ErrUnfinished] to the artifacts that were not complete when the run
// ended, unless they failed.
func (b *backup) unfinished(ctx context.Context) {
	for _, a := range b.planner.All {
		j := b.job(a)
		whole := j.done && (b.committed || j.present)
		if a.Err == nil && !whole || engine.Interrupted(ctx, a.Err) {
			a.Err = engine.ErrUnfinished
		}
	}
}
