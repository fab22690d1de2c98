package restore

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
)

// adopt gives the deliveries that cosign attached by tags to the artifacts of this run
// that they belong to. An index that was rewritten is not in the target, so what is
// attached to it is skipped.
func (s *survey) adopt(all []*delivery) []*delivery {
	homes, gone := make(map[manifestKey]*delivery), make(map[manifestKey]bool)
	for _, d := range all {
		if d.Subject != "" {
			continue
		}
		for _, old := range d.old {
			gone[d.at(old)] = true
		}
		homes[d.at(d.Root.Digest)] = d
		for _, part := range s.familyOf(d) {
			if homes[d.at(part)] == nil || d.err == nil { // another artifact that has it may pass
				homes[d.at(part)] = d
			}
		}
	}
	behind := 0
	all = slices.DeleteFunc(all, func(d *delivery) bool {
		home := homes[d.at(d.Subject)]
		if home == nil && gone[d.at(d.Subject)] {
			behind++
			return true
		}
		home = cmp.Or(home, d.finder)
		if d.Subject != "" && home != nil {
			d.parent = home
			home.beside = append(home.beside, d)
		}
		return false
	})
	if behind > 0 {
		s.progress.Notice("skipped with the rewritten indexes: " + quantity(behind, "cosign tag"))
	}
	return all
}

// familyOf lists the manifests that cosign may have attached something to, of a delivery
// that goes somewhere, or would if a policy accepted it. Such a one is not walked, and neither is
// any in a dry run.
func (s *survey) familyOf(d *delivery) []digest.Digest {
	switch {
	case d.err != nil && !d.isRefused():
		return nil
	case d.visit == nil:
		return s.source.Family(d.Root.OCI())
	}
	var found []digest.Digest
	d.visit.Core(func(v *graph.Visit) { found = append(found, v.Node.Digest) })
	return found
}
