package oci

import (
	"maps"
	"slices"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// Holds reports whether Put(e) would change nothing but the subject of e, which every
// manifest of a referrer has: for its sake alone index.json is not rewritten.
func (x *Index) Holds(e Entry) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	at, ok := x.find(e.Key())
	if !ok || x.duplicates[e.Key()] {
		return false
	}
	old := x.Entries[at]
	repositories := sortedSet(e.Repositories)
	if e.Name == "" {
		repositories = mergeRepositories(old.Repositories, repositories)
	}
	return old.Digest == e.Digest && old.Size == e.Size && old.MediaType == e.MediaType &&
		old.ArtifactType == e.ArtifactType && old.Referrers == e.Referrers && old.Platforms == e.Platforms &&
		old.foreign == nil && slices.Equal(old.Repositories, repositories)
}

// Retain removes the entries for which keep returns false.
func (x *Index) Retain(keep func(Entry) bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.Entries = slices.DeleteFunc(x.Entries, func(e Entry) bool { return !keep(e) })
	x.positions = nil
}

// PutAll adds the entries of another index for which keep returns true, and takes over its
// other fields.
func (x *Index) PutAll(of *Index, keep func(Entry) bool) {
	for _, e := range of.Entries {
		if keep(e) {
			x.Put(e)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.Annotations = maps.Clone(of.Annotations)
	x.foreign = of.foreign
}

// Release gives the memory of an index back.
func (x *Index) Release() {
	bounds.Give(x.memory)
	x.memory = 0
}
