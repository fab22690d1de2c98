package engine

import (
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
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

// unpinned returns an error that is errdef.ErrNotFound if a referrer that a lock
// pins is gone: what refers to an artifact is listed, and lists get shorter.
func (a *artifact) unpinned() error {
	found := make(map[digest.Digest]bool)
	_ = a.visit.referring(func(v *visit, _ string) { found[v.node.digest] = true }) // the caller knows what is missing
	for _, d := range a.scope.digests {
		if !found[d] {
			return fmt.Errorf("%s@%s: the referrer is gone: %w", a.ref.Name(), d, errdef.ErrNotFound)
		}
	}
	return nil
}

// platforms returns those that the artifact is cut down to, as index.json and locks name
// them: linux/arm64/v8 only where there are images for linux/arm64 that it does not take.
func (a *artifact) platforms() []config.Platform {
	named := slices.Clone(a.scope.platforms)
	for i, p := range named {
		general, same := p.WithoutDefaultVariant(), true
		a.visit.core(func(v *visit) {
			for _, c := range v.node.children {
				same = same && (!hasPlatform(c) || isFor(c, general) == isFor(c, p))
			}
		})
		if same {
			named[i] = general
		}
	}
	return config.DistinctPlatforms(named)
}
