package backup

import (
	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/shard"
)

// loads counts the contents of shards and of repositories, as far as a forecast is asked for
// them.
type loads struct {
	*backup
	shards *shard.Loads[content.Key]
	sizes  *shard.Loads[content.Key] // of the repositories in names
	names  []config.Reference
	number map[config.Reference]int // the place of a repository in names
}

func newLoads(b *backup) *loads {
	shards := 0
	if b.Shard.IsAll() {
		shards = b.Shard.Count
	}
	return &loads{backup: b, shards: shard.NewLoads[content.Key](shards), sizes: shard.NewLoads[content.Key](0), number: make(map[config.Reference]int)}
}

// add counts an artifact, and returns the shard that it belongs to.
func (l *loads) add(a *plan.Artifact) (index int) {
	if l.Shard.IsAll() {
		index = l.Shard.OfSource(a.Ref)
		l.shards.AddArtifact(index, a.Ref.Name())
		addParts(l.shards, index, a)
	}
	if l.MeasureEach && a.Err == nil {
		addParts(l.sizes, l.numberOf(config.Reference{Registry: a.Ref.Registry, Repository: a.Ref.Repository}), a)
	}
	return index
}

// numberOf returns the number of a repository.
func (l *loads) numberOf(repository config.Reference) int {
	n, met := l.number[repository]
	if !met {
		n = len(l.names)
		l.number[repository] = n
		l.names = append(l.names, repository)
		l.sizes.All = append(l.sizes.All, shard.Load{})
	}
	return n
}

// addParts counts the manifests and blobs of an artifact that did not fail.
func addParts(to *shard.Loads[content.Key], group int, a *plan.Artifact) {
	if a.Err != nil {
		return
	}
	a.Visit.All(func(v *graph.Visit) {
		for _, part := range v.Parts() {
			to.AddPart(group, part.Key(), part.Size)
		}
	})
}

// repositories returns the sizes of the repositories.
func (l *loads) repositories() []lockfile.Repository {
	var all []lockfile.Repository
	for i, name := range l.names {
		all = append(all, lockfile.Repository{Repository: name, Size: l.sizes.All[i].Bytes})
	}
	return all
}
