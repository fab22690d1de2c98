package inventory

import (
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// referring collects the referrers of an artifact, and their referrers in turn.
type referring struct {
	*catalog
	repository string // REGISTRY/REPOSITORY of the artifact
	seen       map[digest.Digest]bool
	found      []referrer
}

// referrer is an entry with its subject.
type referrer struct {
	*oci.Entry
	name    string // of an entry that cosign attached, else ""
	subject digest.Digest
}

// to adds the referrers of a manifest.
func (r *referring) to(subject ocispec.Descriptor) {
	if r.seen[subject.Digest] {
		return
	}
	r.seen[subject.Digest] = true
	for _, e := range r.referrers[subject.Digest] {
		if len(e.Repositories) == 0 || r.repository == "" || slices.Contains(e.Repositories, r.repository) {
			r.found = append(r.found, referrer{Entry: e, subject: subject.Digest})
		}
	}
	for _, e := range r.attached[location{r.repository, subject.Digest}] {
		r.found = append(r.found, referrer{Entry: e, name: e.Name, subject: subject.Digest})
	}
}

// follow walks the referrers; t calls to for each manifest, which may add more.
func (r *referring) follow(t *trail) error {
	for i := 0; i < len(r.found); i++ {
		if err := t.Walk(oci.Node{Descriptor: r.found[i].Descriptor()}); err != nil {
			return err
		}
	}
	return nil
}

// listed returns the referrers for a listing.
func (r *referring) listed() []listedReferrer {
	var all []listedReferrer
	for _, e := range r.found {
		all = append(all, listedReferrer{e.name, e.Digest, e.MediaType, e.ArtifactType, e.subject})
	}
	return all
}

// CountReferrers returns the number of distinct referrers, as a backup counts them.
func (a *Artifact) CountReferrers() int {
	digests := make(map[digest.Digest]bool)
	for _, r := range a.Referrers {
		digests[r.Digest] = true
	}
	return len(digests)
}
