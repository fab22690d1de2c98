package engine

import (
	"context"
	"errors"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// report returns the result of one artifact.
func (j *job) report() ArtifactReport {
	r := j.artifact.report()
	r.Unchanged = j.present
	if isReferrers(j.err) {
		r.Referrers = j.referrers
	}
	return r
}

func (b *backup) report(took time.Duration) *Report {
	r := &Report{Planned: b.planner.listed, Moved: b.moved.Load(), Duration: took, Output: b.output, Incomplete: b.partial, Newest: b.planner.newest()}
	var have possessions
	for _, a := range b.planner.all {
		one := b.job(a).report()
		r.Artifacts = append(r.Artifacts, one)
		r.Referrers += one.Referrers
		r.Expected += one.Expected
		if one.Err == nil || isReferrers(one.Err) { // of what failed only the manifest says how large it is
			r.Shared = bounds.Sum(r.Shared, max(0, one.Bytes-have.add(a)))
		}
		if one.Unchanged && one.Err == nil {
			r.Unchanged++
		}
	}
	r.There = have.there
	return r
}

// possessions are the manifests and blobs that artifacts consist of. Each knows
// whether it was counted: of 100,000 artifacts a set would take memory.
type possessions struct {
	there int64 // bytes of them that the output had before
}

// add returns how many bytes of an artifact no artifact before it has.
func (p *possessions) add(a *artifact) (fresh int64) {
	if a.visit == nil || a.visit.err != nil {
		return 0
	}
	count := func(size int64, held bool) {
		fresh = bounds.Sum(fresh, size)
		if held {
			p.there = bounds.Sum(p.there, size)
		}
	}
	a.visit.all(func(v *visit) {
		if n := v.node; !n.counted {
			n.counted = true
			count(n.size, !n.near && !n.came)
		}
		for _, b := range v.blobs() {
			if !b.counted {
				b.counted = true
				count(b.size, b.held)
			}
		}
	})
	return fresh
}

// unfinished marks the artifacts that a run did not get to before it ended: they are
// not whole in the output, though nothing is wrong with them.
func (b *backup) unfinished(ctx context.Context) {
	for _, a := range b.planner.all {
		j := b.job(a)
		whole := j.done && (b.committed || j.present)
		if a.err == nil && !whole || wasUnderWay(ctx, a.err) {
			a.err = ErrUnfinished
		}
	}
}

// isReferrers tells whether an artifact is there and only lacks referrers.
func isReferrers(err error) bool {
	var referrers *ReferrersError
	return errors.As(err, &referrers)
}
