package graph

import (
	"iter"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Root is an entry of a layout that is an artifact in its own right.
type Root struct {
	Entry  *oci.Entry       // shared with the index; never nil
	Ref    config.Reference // zero if its repository is unknown
	Fault  error            // why it cannot be copied; it fails when its turn comes
	Layout string           // the path of the layout that a sync reads it from; "" otherwise
	Mirror string           // of its registry, that answered for it in a sync; "" otherwise
	Found  string           // where a sync found its reference: config.Selection.From; "" otherwise
	Scope  *scope.Scope     // the part of it that was selected; nil: all that its entry selects
}

// Name returns the name that a root has in the layout: its digest if it has none.
func (r Root) Name() string {
	if r.Entry.Name == "" {
		return r.Entry.Digest.String()
	}
	return r.Entry.Name
}

// Repository returns the repository of a root as policies name it; "" if it has none.
func (r Root) Repository() string { return scope.RepositoryOf(r.Ref) }

// IsSuspect reports whether the kind of a root is unknown: it has no name, and its bytes
// cannot be read. It may be a referrer of anything in its repository. What has no digest
// stands for a whole layout that cannot be read.
func (r Root) IsSuspect() bool { return r.Entry.Name == "" && r.Entry.Digest != "" && r.Fault != nil }

// Misplaced returns the reason why a backup of the layout in path cannot have a root, nil if
// it can.
func (r Root) Misplaced(path string) error {
	if r.Fault == nil && r.Ref.Registry == "" {
		return &engine.NameError{Entry: r.Name(), Place: "the layout " + path}
	}
	return r.Fault
}

// RootsOf sorts the entries of a layout into roots and referrers, which it notes; a list
// of referrers is neither. An entry with a bare tag, or without a name, belongs to
// repository, which may be zero. An entry that cannot be named or read becomes a root with a
// fault, so that it costs no other. The roots share the entries, which must not change.
func (l *Local) RootsOf(entries []oci.Entry, repository config.Reference) []Root {
	roots, referrers := l.namedRoots(entries, repository)
	nameless := 0
	faults := make(map[*oci.Entry]error)
	for e := range withoutName(entries) {
		if err := l.addReferrer(e); err != nil {
			faults[e] = err
		}
		if !l.referrers.has(e.Digest) {
			nameless++
		}
	}
	roots = slices.Grow(roots, nameless)
	for e := range withoutName(entries) {
		switch {
		case faults[e] != nil:
			roots = append(roots, suspectRoots(e, repository, faults[e])...)
		case l.referrers.has(e.Digest):
			referrers = append(referrers, e)
		default:
			roots = append(roots, namelessRoot(e, repository))
		}
	}
	roots = l.withoutChildren(roots)
	for _, e := range l.orphans(roots, referrers) {
		roots = append(roots, namelessRoot(e, l.homeOf(e, repository)))
	}
	return roots
}

// withoutName yields the entries that have no name.
func withoutName(entries []oci.Entry) iter.Seq[*oci.Entry] {
	return func(yield func(*oci.Entry) bool) {
		for i := range entries {
			if e := &entries[i]; e.Name == "" && !yield(e) {
				return
			}
		}
	}
}

// namedRoots makes roots of the entries that have names, and returns the members of those that
// are lists of referrers. It makes room for all at once: to grow would take several times that.
func (l *Local) namedRoots(entries []oci.Entry, repository config.Reference) (roots []Root, members []*oci.Entry) {
	named := 0
	for i := range entries {
		if entries[i].Name != "" {
			named++
		}
	}
	roots = make([]Root, 0, named)
	l.referrers.reserve(len(entries) - named)
	doubles := doublesIn(entries)
	for i := range entries {
		e := &entries[i]
		if e.Name == "" {
			continue
		}
		r := l.namedRoot(e, repository, doubles[e.Name])
		if listed, is := l.addList(r); is {
			members = append(members, listed...)
			continue
		}
		roots = append(roots, r)
	}
	return roots, members
}

// homeOf returns the one repository that a referrer is known to belong to, else another.
func (l *Local) homeOf(e *oci.Entry, other config.Reference) config.Reference {
	if homes := l.referrers.homes(e.Digest); len(homes) == 1 {
		if ref, err := config.ParseReference(homes[0]); err == nil {
			return ref
		}
	}
	return other
}

// namedRoot makes a root of an entry that has a name.
func (l *Local) namedRoot(e *oci.Entry, repository config.Reference, double bool) Root {
	r := Root{Entry: e}
	ref, ok := config.ParseEntryName(e.Name)
	switch {
	case ok && ref.Registry != "":
		r.Ref = ref
		r.Fault = e.CheckName(func() ([]byte, error) { return store.ReadManifest(l.Layout, e.Descriptor()) })
	case !ok:
		r.Fault = &engine.EntryNameError{Name: e.Name, Reason: "neither REGISTRY/REPOSITORY:TAG nor a tag"}
	case repository.Registry != "":
		r.Ref = repository
		r.Ref.Tag = e.Name
	}
	if double && r.Fault == nil {
		r.Fault = &engine.EntryNameError{Name: e.Name, Reason: "two manifests in the layout have this name"}
	}
	return r
}

// doublesIn finds the names that stand for more than one manifest.
func doublesIn(entries []oci.Entry) map[string]bool {
	last := make(map[string]int32)
	doubles := make(map[string]bool)
	for i := range entries {
		e := &entries[i]
		if e.Name == "" {
			continue
		}
		if at, met := last[e.Name]; met && entries[at].Digest != e.Digest {
			doubles[e.Name] = true
		}
		last[e.Name] = int32(i)
	}
	return doubles
}

// namelessRoot makes a root of an entry that is known by its digest alone.
func namelessRoot(e *oci.Entry, repository config.Reference) Root {
	if repository.Registry != "" {
		repository.Digest = e.Digest
	}
	return Root{Entry: e, Ref: repository}
}

// suspectRoots makes roots, which will fail, of an entry that cannot be read: one in
// each repository that it came from, since nothing else says what needs it.
func suspectRoots(e *oci.Entry, repository config.Reference, err error) []Root {
	var roots []Root
	for _, name := range e.Repositories {
		if ref, bad := config.ParseReference(name + "@" + e.Digest.String()); bad == nil {
			roots = append(roots, Root{Entry: e, Ref: ref, Fault: err})
		}
	}
	if len(roots) == 0 {
		r := namelessRoot(e, repository)
		r.Fault = err
		roots = append(roots, r)
	}
	return roots
}

// withoutChildren takes the children of other roots out of the nameless ones: oras-go
// lists those, too, and they come along with the index that they are in.
func (l *Local) withoutChildren(roots []Root) []Root {
	if !slices.ContainsFunc(roots, func(r Root) bool { return r.Entry.Name == "" }) {
		return roots
	}
	children := make(map[digest.Digest]bool)
	for _, r := range roots {
		l.WalkChildren(r.Entry.Descriptor(), children)
	}
	return slices.DeleteFunc(roots, func(r Root) bool { return r.Entry.Name == "" && children[r.Entry.Digest] })
}

// orphans returns the referrers of a foreign layout that come along with no root: their
// subjects are not in it. In a layout of ours, which records the repositories of a referrer,
// they are the remains of a tag that moved.
func (l *Local) orphans(roots []Root, referrers []*oci.Entry) []*oci.Entry {
	referrers = slices.DeleteFunc(referrers, func(e *oci.Entry) bool { return len(e.Repositories) > 0 })
	if len(referrers) == 0 {
		return nil
	}
	reached := make(map[digest.Digest]bool)
	reach := func(desc ocispec.Descriptor) {
		reached[desc.Digest] = true
		l.WalkChildren(desc, reached)
	}
	for _, r := range roots {
		reach(r.Entry.Descriptor())
	}
	for more := true; more; {
		more = false
		for subject := range l.referrers.last {
			if !reached[subject.Digest()] {
				continue
			}
			for _, desc := range l.referrers.of(subject.Digest()) {
				if !reached[desc.Digest] {
					reach(desc)
					more = true
				}
			}
		}
	}
	return slices.DeleteFunc(referrers, func(e *oci.Entry) bool { return reached[e.Digest] })
}
