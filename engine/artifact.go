package engine

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// report returns what the plan knows of an artifact: of one that failed, no more than its
// name and its error.
func (a *artifact) report() ArtifactReport {
	r := ArtifactReport{Reference: a.name, Layout: a.layout, Digest: a.root.digest, Err: a.err}
	if a.ref.Tag != "" && a.ref.Digest != "" {
		r.Pinned, r.Digest = true, a.ref.Digest
	}
	if a.visit == nil || a.visit.err != nil {
		return r
	}
	seen := make(map[contentKey]bool)
	a.visit.all(func(v *visit) {
		for _, part := range v.parts() {
			if !seen[part.key()] {
				seen[part.key()] = true
				r.Bytes = bounds.Sum(r.Bytes, part.size)
			}
		}
	})
	r.Expected = a.expects()
	if a.err == nil {
		r.Referrers = r.Expected
	}
	return r
}

// expects counts the referrers that are to come along: those that were found, those
// that were listed and could not be had, and at least those that a lock pins.
func (a *artifact) expects() int {
	found := make(map[digest.Digest]bool)
	lost := 0
	a.visit.all(func(v *visit) {
		lost += v.lost
		for _, r := range v.referrers {
			found[r.node.digest] = true
		}
		for _, r := range v.attached {
			found[r.node.digest] = true
		}
	})
	return max(len(found)+lost, len(a.scope.digests))
}
