package origin

import (
	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
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
