package engine

import (
	"slices"

	"github.com/opencontainers/go-digest"
)

// memberKey is one manifest in one repository of the input.
type memberKey struct {
	repository string
	digest     digest.Digest
}

// selected returns the roots that --only leaves, with those that cosign attached to them.
func (m *routes) selected() ([]root, error) {
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
		repositories[root.ref.Name()] = true
		if len(m.only) > 0 {
			for _, digest := range m.family(root.entry.Descriptor()) {
				chosen[memberKey{root.ref.Name(), digest}] = true
			}
		}
	}
	var roots []root
	for i, root := range m.roots {
		subject, attached := root.entry.AttachedTo()
		if attached && m.excludeReferrers {
			continue
		}
		picked := named[i] || attached && chosen[memberKey{root.ref.Name(), subject}]
		if root.isSuspect() { // it may belong to anything in its repository
			picked = picked || !m.excludeReferrers && (root.ref.Registry == "" || repositories[root.ref.Name()])
		}
		if picked {
			roots = append(roots, root)
		}
	}
	return roots, nil
}

// named tells of each root whether --only names it; without --only all are named. A
// suspect root has no name. A pattern that names none is an *OnlyError.
func (m *routes) named() ([]bool, error) {
	named := make([]bool, len(m.roots))
	used := make([]bool, len(m.only))
	patterns := make([]onlyPattern, len(m.only))
	for i, text := range m.only {
		patterns[i] = parseOnly(text)
	}
	for i, root := range m.roots {
		if root.isSuspect() {
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
		return nil, &OnlyError{Pattern: m.only[i]}
	}
	return named, nil
}
