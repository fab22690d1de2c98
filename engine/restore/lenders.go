package restore

import (
	"context"
	"slices"
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// lenders are the repositories of the targets that have the blobs which a delta leaves to its
// base: those of artifacts that are there.
type lenders struct {
	source   source.Source
	mapper   *config.Mapper
	paths    map[uploadKey][]string
	isPart   bool // the run does not restore all of the source
	isNeeded map[content.Key]bool

	once   sync.Once // guards others: it is written there
	others map[content.Key][]config.Reference
}

// mostLenders bounds the repositories that a blob is mounted from: one may refuse.
const mostLenders = 3

// newLenders finds the lenders of the blobs that are left, among the deliveries that are there.
func newLenders(s source.Source, o engine.RestoreOptions, wanted []*upload, all []*delivery) *lenders {
	l := &lenders{source: s, mapper: o.Mapper, paths: make(map[uploadKey][]string), isNeeded: make(map[content.Key]bool),
		isPart: len(o.Only) > 0 || o.Retry != nil || o.Shard != nil}
	left := make(map[uploadKey]bool)
	for _, one := range wanted {
		if leftBy(s, one.blob) != nil {
			left[one.uploadKey], l.isNeeded[one.blob.Key()] = true, true
		}
	}
	if len(left) == 0 {
		return l
	}
	for _, d := range all {
		if d.visit == nil || !d.found.present {
			continue
		}
		d.visit.Linked(func(v *graph.Visit) {
			for _, b := range v.Blobs() {
				if key := (uploadKey{d.Target.Registry, b.Digest, b.Size}); left[key] {
					l.add(key, d.Path)
				}
			}
		})
	}
	return l
}

func (l *lenders) add(key uploadKey, path string) {
	if len(l.paths[key]) < mostLenders && !slices.Contains(l.paths[key], path) {
		l.paths[key] = append(l.paths[key], path)
	}
}

// homes lists the repositories of a target that may have a blob, since the base has it there: the
// one that the delta records, and those of artifacts that this run does not restore.
func (l *lenders) homes(ctx context.Context, one *upload, d *delivery) []string {
	var refs []config.Reference
	if from, is := l.source.(source.Dependent); is {
		if ref, err := config.ParseReference(from.Home(one.blob)); err == nil {
			refs = append(refs, ref)
		}
	}
	if l.isPart {
		l.once.Do(func() { l.findOthers(ctx) })
		refs = append(refs, l.others[one.blob.Key()]...)
	}
	var paths []string
	for _, ref := range refs {
		path, _, ok, err := l.mapper.Map(config.Reference{Registry: ref.Registry, Repository: ref.Repository})
		if err == nil && ok && !slices.Contains(paths, d.Target.Join(path)) {
			paths = append(paths, d.Target.Join(path))
		}
	}
	return paths[:min(len(paths), mostLenders)]
}

// findOthers finds the repositories of all artifacts of the source that need the blobs which are
// left.
func (l *lenders) findOthers(ctx context.Context) {
	l.others = make(map[content.Key][]config.Reference)
	for _, root := range l.source.Roots() {
		platforms, err := scope.ParsePlatforms(root.Entry.Platforms)
		if err != nil || root.Fault != nil || root.Ref.Registry == "" {
			continue
		}
		visit, err := l.source.Walk(ctx, root.Ref.Name(), content.Of(root.Entry.Descriptor()), scope.OfAll(true, platforms))
		if err != nil {
			continue
		}
		home := config.Reference{Registry: root.Ref.Registry, Repository: root.Ref.Repository}
		visit.Linked(func(v *graph.Visit) {
			for _, b := range v.Blobs() {
				if homes := l.others[b.Key()]; l.isNeeded[b.Key()] && len(homes) < mostLenders && !slices.Contains(homes, home) {
					l.others[b.Key()] = append(homes, home)
				}
			}
		})
	}
}

// leftBy returns an error if a source leaves a blob to its base, which says so.
func leftBy(s source.Source, b content.Descriptor) error {
	if l, is := s.(source.Dependent); is {
		return l.Left(b)
	}
	return nil
}
