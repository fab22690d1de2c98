package origin

import (
	"iter"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// NewLocalSource returns a layout that a backup reads: an entry with a bare tag, or with no
// name, belongs to repository.
func NewLocalSource(l store.Layout, path string, repository config.Reference) *Local {
	s := NewLocal(l, path)
	s.all = s.RootsOf(l.Index().Entries, repository)
	return s
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
