package shard

import "github.com/oras-mirror/oras-mirror/internal/bounds"

// Load is the content of one shard.
type Load struct {
	Repositories int
	Artifacts    int
	Bytes        int64 // each manifest and blob counted once
}

// Loads counts the contents of groups, such as shards or repositories, numbered from 0. Parts
// are identified by keys of type K.
type Loads[K comparable] struct {
	All          []Load
	parts        map[member[K]]struct{}
	repositories map[member[string]]struct{}
}

// member is one thing in one group.
type member[K comparable] struct {
	group int
	key   K
}

// NewLoads returns the loads of some empty groups.
func NewLoads[K comparable](groups int) *Loads[K] {
	return &Loads[K]{All: make([]Load, groups), parts: make(map[member[K]]struct{}), repositories: make(map[member[string]]struct{})}
}

// AddArtifact counts an artifact of a repository.
func (l *Loads[K]) AddArtifact(group int, repository string) {
	l.All[group].Artifacts++
	if one := (member[string]{group, repository}); !contains(l.repositories, one) {
		l.repositories[one] = struct{}{}
		l.All[group].Repositories++
	}
}

// AddPart counts a manifest or a blob.
func (l *Loads[K]) AddPart(group int, key K, size int64) {
	if one := (member[K]{group, key}); !contains(l.parts, one) {
		l.parts[one] = struct{}{}
		l.All[group].Bytes = bounds.Sum(l.All[group].Bytes, size)
	}
}

func contains[K comparable](set map[K]struct{}, key K) bool {
	_, ok := set[key]
	return ok
}
