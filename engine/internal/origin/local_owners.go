package origin

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
)

// ownership finds the artifacts of a layout that have a manifest.
type ownership struct {
	once    sync.Once // guards members: it is written there
	members []member  // sorted by manifest and repository; of each pair in the order of the roots
}

// member is a manifest that a root is, or has below it. There are 100,000, so it does not repeat
// what the root says.
type member struct {
	digest digest.Digest
	root   int32 // in Local.all
}

// memberKey identifies a manifest in a repository.
type memberKey struct {
	repository string
	digest     digest.Digest
}

// Owners lists the artifacts of a repository that are a manifest, or have it below them.
func (l *Local) Owners(_ context.Context, repository string, subject digest.Digest) ([]Owner, error) {
	var all []Owner
	for _, m := range l.membersOf(memberKey{repository, subject}) {
		entry := l.all[m.root].Entry
		platforms, err := scope.ParsePlatforms(entry.Platforms)
		if err != nil {
			return nil, err // not reached: such a root is no owner
		}
		all = append(all, Owner{entry.Descriptor(), platforms})
	}
	return all, nil
}

// HasOwner reports whether cosign attached a root to an artifact of the layout, which has a
// verdict of its own.
func (l *Local) HasOwner(r Root) bool {
	subject, attached := r.Entry.AttachedTo()
	return attached && len(l.membersOf(memberKey{r.Repository(), subject})) > 0
}

func (l *Local) membersOf(key memberKey) []member {
	l.ownership.once.Do(l.findMembers)
	from, _ := slices.BinarySearchFunc(l.ownership.members, key, l.compare)
	to := from
	for to < len(l.ownership.members) && l.keyOf(l.ownership.members[to]) == key {
		to++
	}
	return l.ownership.members[from:to]
}

func (l *Local) keyOf(m member) memberKey { return memberKey{l.all[m.root].Repository(), m.digest} }

func (l *Local) compare(m member, key memberKey) int {
	if order := cmp.Compare(m.digest, key.digest); order != 0 {
		return order
	}
	return cmp.Compare(l.all[m.root].Repository(), key.repository)
}

// findMembers finds the members of all roots that nothing owns, each once for roots that are
// alike.
func (l *Local) findMembers() {
	type alike struct {
		memberKey
		root      digest.Digest
		platforms string
	}
	var all []member
	for i := range l.all {
		all = l.addMembers(all, int32(i))
	}
	slices.SortStableFunc(all, func(a, b member) int {
		if order := cmp.Compare(a.digest, b.digest); order != 0 {
			return order
		}
		return cmp.Compare(l.all[a.root].Repository(), l.all[b.root].Repository())
	})
	seen := make(map[alike]bool)
	var last memberKey
	l.ownership.members = slices.DeleteFunc(all, func(m member) bool {
		if key := l.keyOf(m); key != last {
			last = key
			clear(seen)
		}
		entry := l.all[m.root].Entry
		one := alike{last, entry.Digest, entry.Platforms}
		double := seen[one]
		seen[one] = true
		return double
	})
}

// addMembers adds the members of a root, if others may be attached to it. One with invalid
// platforms fails by itself.
func (l *Local) addMembers(all []member, at int32) []member {
	r := l.all[at]
	if _, attached := r.Entry.AttachedTo(); attached || r.Fault != nil {
		return all
	}
	if _, err := scope.ParsePlatforms(r.Entry.Platforms); err != nil {
		return all
	}
	below := map[digest.Digest]bool{r.Entry.Digest: true}
	l.WalkChildren(r.Entry.Descriptor(), below)
	for d := range below {
		all = append(all, member{d, at})
	}
	return all
}
