package store

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// uniteIndexes returns the entries of the layouts that no delta replaces.
func (u *Union) uniteIndexes(l *delta.Lineage) (*oci.Index, error) {
	all := make([]*oci.Index, len(u.inputs))
	for i, m := range u.inputs {
		if !m.replaced {
			all[i] = m.Index()
		}
	}
	return oci.Unite(all, func(name string, digests [2]digest.Digest, i, j int) error {
		e := &ClashError{Name: name, Digests: digests, Inputs: [2]string{u.inputs[i].path, u.inputs[j].path}}
		for _, gap := range l.Gaps(i, j) {
			e.Gaps = append(e.Gaps, &OrphanError{Delta: u.inputs[gap.Delta].path, Base: gap.Name})
		}
		return e
	})
}
