// Package shard divides a plan among machines that do not talk to each other. Each machine
// computes the same assignment of repositories to shards alone, from the spec and its lock.
package shard

import (
	"fmt"
	"path"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
)

// All is the Index of a Part that stands for every part, to compare them.
const All = -1

// MaxCount is the largest Count: the number of completions that a Kubernetes Indexed Job can
// have.
const MaxCount = 100_000

// Part names the Index-th of Count parts of a plan, counted from 0.
type Part struct{ Index, Count int }

func (p Part) String() string {
	if p.Index == All {
		return fmt.Sprintf("all/%d", p.Count)
	}
	return fmt.Sprintf("%d/%d", p.Index, p.Count)
}

// Names tells which source repositories land in one repository.
type Names struct {
	Mapper  *config.Mapper  // nil: every source repository keeps its full name
	Targets []config.Target // of a restore
}

// Shard is one part of a plan. A repository belongs whole to one shard, by the repository that
// it lands in, so that no two shards write to one repository of a target. A nil *Shard is the
// whole plan. A Shard is safe for concurrent use.
type Shard struct {
	Part
	mapper *config.Mapper
	nested bool           // one target is a namespace within another one
	placed map[string]int // the shard of each name with a known size
}

// New returns a part of a plan. The sizes, which may be nil, are those of a lock; a repository
// without a size is placed by the hash of its name.
func New(part Part, names Names, sizes []lockfile.Repository) *Shard {
	s := &Shard{Part: part, mapper: names.Mapper, nested: nest(names.Targets)}
	s.placed = balance(part.Count, s.sum(sizes))
	return s
}

// IsAll reports whether the shard stands for every part of the plan.
func (s *Shard) IsAll() bool { return s != nil && s.Index == All }

// HasSource reports whether the artifacts of a source repository belong to the shard.
func (s *Shard) HasSource(repository config.Reference) bool {
	return s == nil || s.Index == All || s.OfSource(repository) == s.Index
}

// HasTarget reports whether the artifacts that go to a repository of a target belong to the
// shard. The path contains the namespace of the target.
func (s *Shard) HasTarget(t config.Target, path string) bool {
	return s == nil || s.Index == All || s.OfTarget(t, path) == s.Index
}

// OfSource returns the index of the shard of a source repository.
func (s *Shard) OfSource(repository config.Reference) int { return s.of(s.sourceName(repository)) }

// OfTarget returns the index of the shard of a repository of a target.
func (s *Shard) OfTarget(t config.Target, path string) int {
	if t.Namespace != "" {
		path = strings.TrimPrefix(strings.TrimPrefix(path, t.Namespace), "/")
	}
	return s.of(s.name(path))
}

func (s *Shard) of(name string) int {
	if index, ok := s.placed[name]; ok {
		return index
	}
	return hashed(name, s.Count)
}

// sourceName returns the name by which a source repository is placed: that of the repository
// that it lands in. One that lands nowhere has its own name, since one shard has to report it.
func (s *Shard) sourceName(r config.Reference) string {
	r.Tag, r.Digest = "", ""
	if s.mapper == nil {
		return r.Name()
	}
	mapped, _, ok, err := s.mapper.Map(r)
	if err != nil || !ok {
		return r.Name()
	}
	return s.name(mapped)
}

// name returns the name by which a repository is placed, from its path below the namespace of
// a target. If targets nest, repositories with different paths can be one: app in
// registry.example/team is team/app in registry.example. Those always have the same last
// component.
func (s *Shard) name(below string) string {
	if s.nested {
		return path.Base(below)
	}
	return below
}

// nest reports whether one target is a namespace within another one.
func nest(targets []config.Target) bool {
	for i, a := range targets {
		for _, b := range targets[:i] {
			if strings.EqualFold(a.Registry, b.Registry) && a.Namespace != b.Namespace &&
				(isBelow(a.Namespace, b.Namespace) || isBelow(b.Namespace, a.Namespace)) {
				return true
			}
		}
	}
	return false
}

// isBelow reports whether a path is another one or below it.
func isBelow(path, other string) bool {
	return other == "" || path == other || strings.HasPrefix(path, other+"/")
}
