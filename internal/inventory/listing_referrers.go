package inventory

import (
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store"
)

// referring gathers what refers to an artifact, and what refers to that: all that comes
// along with it.
type referring struct {
	*catalog
	repository string // REGISTRY/REPOSITORY of the artifact
	seen       map[digest.Digest]bool
	found      []referrer
}

// referrer is an entry and what it refers to.
type referrer struct {
	store.Entry
	subject digest.Digest
}

// to finds what refers to one manifest.
func (r *referring) to(subject ocispec.Descriptor) {
	if r.seen[subject.Digest] {
		return
	}
	r.seen[subject.Digest] = true
	for _, e := range r.referrers[subject.Digest] {
		if len(e.Repositories) == 0 || r.repository == "" || slices.Contains(e.Repositories, r.repository) {
			e.Name = ""
			r.found = append(r.found, referrer{e, subject.Digest})
		}
	}
	for _, e := range r.attached[r.repository+"@"+subject.Digest.String()] {
		r.found = append(r.found, referrer{e, subject.Digest})
	}
}

// follow goes on with what was found, which t tells the referrers of.
func (r *referring) follow(t *trail) error {
	for i := 0; i < len(r.found); i++ {
		if err := t.Walk(store.Node{Descriptor: r.found[i].Descriptor()}); err != nil {
			return err
		}
	}
	return nil
}

func (r *referring) listed() []listedReferrer {
	var all []listedReferrer
	for _, e := range r.found {
		all = append(all, listedReferrer{e.Name, e.Digest, e.MediaType, e.ArtifactType, e.subject})
	}
	return all
}

// Count returns how many distinct ones there are, as a backup counts them.
func (a *Artifact) Count() int {
	digests := make(map[digest.Digest]bool)
	for _, r := range a.Referrers {
		digests[r.Digest] = true
	}
	return len(digests)
}
