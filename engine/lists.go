package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store"
)

// list names the referrers of one subject that a target has to list.
type list struct {
	subject   digest.Digest
	referrers []*visit // by digest
}

// listKey is one list with some of its referrers; an artifact in another
// place may have others.
type listKey struct {
	pushKey
	referrers digest.Digest // of their digests
}

func (l list) key(d *delivery) listKey {
	hash := digest.SHA256.Digester()
	for _, v := range l.referrers {
		_, _ = hash.Hash().Write([]byte(v.node.digest)) // a hash takes everything
	}
	return listKey{pushKey{d.place(l.subject), d.again}, hash.Digest()}
}

// lists returns the lists that some manifests of a delivery belong on: whatever
// brought it here, by its own name or beside another, what has a subject is listed
// under that.
func (r *restore) lists(d *delivery, some func(*visit) bool) []list {
	var all []list
	at := make(map[digest.Digest]int)
	r.each(d, d.visit, func(v *visit) {
		subject := v.node.subject
		if subject == "" || !some(v) {
			return
		}
		i, met := at[subject]
		if !met {
			i = len(all)
			at[subject], all = i, append(all, list{subject: subject})
		}
		all[i].referrers = append(all[i].referrers, v)
	})
	for _, l := range all {
		slices.SortFunc(l.referrers, func(a, b *visit) int { return cmp.Compare(a.node.digest, b.node.digest) })
	}
	return all
}

// putLists sees to it that the target lists the manifests of a delivery that it
// lacked, once these are pushed.
func (r *restore) putLists(ctx context.Context, d *delivery) error {
	return sideBySide(r.Concurrency, r.lists(d, d.lacking), func(l list) error {
		_, err := r.completed.do(ctx, l.key(d), func() (struct{}, error) { return struct{}{}, r.putList(ctx, d, l) })
		return err
	})
}

func (r *restore) putList(ctx context.Context, d *delivery, l list) error {
	if r.dry != nil {
		return r.foreseeList(ctx, d)
	}
	pushed := make([]ocispec.Descriptor, len(l.referrers))
	by := make(map[digest.Digest]*visit)
	for i, v := range l.referrers {
		var err error
		if pushed[i], err = r.describe(ctx, v); err != nil {
			return err
		}
		by[v.node.digest] = v
	}
	return d.repo.ListReferrers(ctx, l.subject, pushed, func(desc ocispec.Descriptor) error {
		return r.push(ctx, d, by[desc.Digest], desc.Digest.String())
	})
}

// describe makes the descriptor by which a list of referrers names a manifest:
// with its artifact type and annotations (distribution-spec, "Referrers Tag Schema").
func (r *restore) describe(ctx context.Context, v *visit) (ocispec.Descriptor, error) {
	desc := v.node.oci()
	data, err := r.bytes(ctx, v)
	if err != nil {
		return desc, err
	}
	m, err := store.ParseManifest(desc, data)
	desc.ArtifactType, desc.Annotations = m.Kind(), m.Annotations
	return desc, err
}

// lacksInList returns those of a list that the target does not list before anything
// is pushed.
func (r *restore) lacksInList(ctx context.Context, d *delivery, l list) ([]*visit, error) {
	listed, err := r.listedThere.do(ctx, d.place(l.subject), func() ([]digest.Digest, error) { return referrersThere(ctx, d, l.subject) })
	return l.without(listed), err
}

// referrersThere asks a target what it lists under a subject.
func referrersThere(ctx context.Context, d *delivery, subject digest.Digest) ([]digest.Digest, error) {
	listed, err := d.repo.Referrers(ctx, ocispec.Descriptor{Digest: subject}, nil)
	digests := make([]digest.Digest, len(listed))
	for i, desc := range listed {
		digests[i] = desc.Digest
	}
	return digests, err
}

// without returns the referrers of a list that are not among others.
func (l list) without(others []digest.Digest) []*visit {
	return slices.DeleteFunc(slices.Clone(l.referrers), func(v *visit) bool { return slices.Contains(others, v.node.digest) })
}
