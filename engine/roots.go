package engine

import (
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store"
)

// root is an entry of a layout that is an artifact in its own right.
type root struct {
	entry store.Entry
	ref   config.Reference // zero where no repository is known that it belongs to
	fault error            // why it can go nowhere; it fails when its turn comes
}

// name returns what the layout calls a root.
func (r root) name() string {
	if r.entry.Name == "" {
		return r.entry.Digest.String()
	}
	return r.entry.Name
}

// isSuspect says that it is not known what a root is: it has no name, and its bytes do
// not tell. It may be a referrer of anything in its repository.
func (r root) isSuspect() bool { return r.entry.Name == "" && r.fault != nil }

// misplaced says why a backup of the layout in path cannot have a root, if it cannot.
func (r root) misplaced(path string) error {
	if r.fault == nil && r.ref.Registry == "" {
		return &NameError{Entry: r.name(), Place: "the layout " + path}
	}
	return r.fault
}

// rootsOf sorts the entries of a layout into roots and referrers, which it notes; a list
// of referrers is neither. What
// has a bare tag, or no name at all, belongs to repository, which may be zero. What
// cannot be named or read becomes a root with a fault, so that it costs no other.
func (l *local) rootsOf(entries []store.Entry, repository config.Reference) []root {
	var roots []root
	var referrers []store.Entry
	doubles := doublesIn(entries)
	for _, e := range entries {
		if e.Name == "" {
			continue
		}
		r := l.namedRoot(e, repository, doubles[e.Name])
		if members, is := l.addList(r); is {
			referrers = append(referrers, members...)
			continue
		}
		roots = append(roots, r)
	}
	for _, e := range entries {
		if e.Name != "" {
			continue
		}
		err := l.addReferrer(e)
		switch _, refers := l.homes[e.Digest]; {
		case err != nil:
			roots = append(roots, suspectRoots(e, repository, err)...)
		case refers:
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

// homeOf returns the one repository that a referrer is known to belong to, else another.
func (l *local) homeOf(e store.Entry, other config.Reference) config.Reference {
	if homes := l.homes[e.Digest]; len(homes) == 1 {
		if ref, err := config.ParseReference(homes[0]); err == nil {
			return ref
		}
	}
	return other
}

// namedRoot makes a root of an entry that has a name.
func (l *local) namedRoot(e store.Entry, repository config.Reference, double bool) root {
	r := root{entry: e}
	ref, ok := config.ParseEntryName(e.Name)
	switch {
	case ok && ref.Registry != "":
		r.ref = ref
		r.fault = e.CheckName(func() ([]byte, error) { return store.ReadManifest(l.layout, e.Descriptor()) })
	case !ok:
		r.fault = &EntryNameError{e.Name, "neither REGISTRY/REPOSITORY:TAG nor a tag"}
	case repository.Registry != "":
		r.ref = repository
		r.ref.Tag = e.Name
	}
	if double && r.fault == nil {
		r.fault = &EntryNameError{e.Name, "the layout has two manifests of that name"}
	}
	return r
}

// doublesIn finds the names that stand for more than one manifest.
func doublesIn(entries []store.Entry) map[string]bool {
	first := make(map[string]digest.Digest, len(entries))
	doubles := make(map[string]bool)
	for _, e := range entries {
		if other, met := first[e.Name]; e.Name != "" && met && other != e.Digest {
			doubles[e.Name] = true
		}
		first[e.Name] = e.Digest
	}
	return doubles
}

// namelessRoot makes a root of an entry that is known by its digest alone.
func namelessRoot(e store.Entry, repository config.Reference) root {
	if repository.Registry != "" {
		repository.Digest = e.Digest
	}
	return root{entry: e, ref: repository}
}

// suspectRoots makes roots, which will fail, of an entry that cannot be read: one in
// each repository that it came from, since nothing else says what needs it.
func suspectRoots(e store.Entry, repository config.Reference, err error) []root {
	var roots []root
	for _, name := range e.Repositories {
		if ref, bad := config.ParseReference(name + "@" + e.Digest.String()); bad == nil {
			roots = append(roots, root{e, ref, err})
		}
	}
	if len(roots) == 0 {
		r := namelessRoot(e, repository)
		r.fault = err
		roots = append(roots, r)
	}
	return roots
}

// withoutChildren takes the children of other roots out of the nameless ones: oras-go
// lists those, too, and they come along with the index that they are in.
func (l *local) withoutChildren(roots []root) []root {
	if !slices.ContainsFunc(roots, func(r root) bool { return r.entry.Name == "" }) {
		return roots
	}
	children := make(map[digest.Digest]bool)
	for _, r := range roots {
		l.walkChildren(r.entry.Descriptor(), children)
	}
	return slices.DeleteFunc(roots, func(r root) bool { return r.entry.Name == "" && children[r.entry.Digest] })
}

// orphans returns the referrers of a foreign layout that come along with no root: what
// they refer to is not in it. In a layout of ours, which says where a referrer came
// from, that is what a tag left behind when it moved on.
func (l *local) orphans(roots []root, referrers []store.Entry) []store.Entry {
	referrers = slices.DeleteFunc(referrers, func(e store.Entry) bool { return len(e.Repositories) > 0 })
	if len(referrers) == 0 {
		return nil
	}
	reached := make(map[digest.Digest]bool)
	reach := func(desc ocispec.Descriptor) {
		reached[desc.Digest] = true
		l.walkChildren(desc, reached)
	}
	for _, r := range roots {
		reach(r.entry.Descriptor())
	}
	for more := true; more; {
		more = false
		for subject, all := range l.points {
			if !reached[subject] {
				continue
			}
			for _, desc := range all {
				if !reached[desc.Digest] {
					reach(desc)
					more = true
				}
			}
		}
	}
	return slices.DeleteFunc(referrers, func(e store.Entry) bool { return reached[e.Digest] })
}
