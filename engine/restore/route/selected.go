package route

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
)

// memberKey identifies one manifest in one repository.
type memberKey struct {
	repository string
	digest     digest.Digest
}

// selected returns the roots that --only selects, with those that cosign attached to them.
func (m *Routes) selected() ([]*origin.Root, error) {
	named, err := m.named()
	if err != nil {
		return nil, err
	}
	chosen := make(map[memberKey]bool)
	repositories := make(map[string]bool)
	for i, root := range m.roots {
		if !named[i] {
			continue
		}
		repositories[root.Ref.Name()] = true
		if len(m.only) > 0 {
			for _, digest := range m.family(root.Entry.Descriptor()) {
				chosen[memberKey{root.Ref.Name(), digest}] = true
			}
		}
	}
	roots := make([]*origin.Root, 0, len(m.roots))
	for i := range m.roots {
		root := &m.roots[i]
		subject, attached := root.Entry.AttachedTo()
		if attached && m.excludeReferrers {
			continue
		}
		picked := named[i] || attached && chosen[memberKey{root.Ref.Name(), subject}]
		if root.IsSuspect() { // it may belong to anything in its repository
			picked = picked || !m.excludeReferrers && (root.Ref.Registry == "" || repositories[root.Ref.Name()])
		}
		if picked {
			roots = append(roots, root)
		}
	}
	return roots, nil
}

// named reports for each root whether --only names it; without --only all are named. A
// suspect root has no name. A pattern that names no root is an *engine.OnlyError.
func (m *Routes) named() ([]bool, error) {
	named := make([]bool, len(m.roots))
	used := make([]bool, len(m.only))
	patterns := make([]onlyPattern, len(m.only))
	for i, text := range m.only {
		patterns[i] = parseOnly(text)
	}
	for i, root := range m.roots {
		if root.IsSuspect() {
			continue
		}
		named[i] = len(m.only) == 0
		for k, pattern := range patterns {
			if pattern.matches(root) {
				named[i], used[k] = true, true
			}
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, &engine.OnlyError{Pattern: m.only[i]}
	}
	return named, nil
}
