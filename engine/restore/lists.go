package restore

import (
	"cmp"
	"context"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// list names the referrers of one subject that a target has to list.
type list struct {
	subject   digest.Digest
	referrers []*graph.Visit // by digest
}

// listKey identifies one list with some of its referrers; the same subject in another
// repository may have others.
type listKey struct {
	pushKey
	referrers digest.Digest // of their digests
}

// descriptors returns the referrers without what their manifests say of themselves.
func (l list) descriptors() []ocispec.Descriptor {
	all := make([]ocispec.Descriptor, len(l.referrers))
	for i, v := range l.referrers {
		all[i] = v.Node.OCI()
	}
	return all
}

func (l list) key(d *delivery) listKey {
	hash := digest.SHA256.Digester()
	for _, v := range l.referrers {
		_, _ = hash.Hash().Write([]byte(v.Node.Digest)) // a hash takes everything
	}
	return listKey{pushKey{d.at(l.subject), d.repeated}, hash.Digest()}
}

// listsOf returns the lists that some manifests of a delivery belong on: whether it came
// by its own name or beside another, a manifest with a subject is listed under that.
func listsOf(d *delivery, some func(*graph.Visit) bool) []list {
	var all []list
	at := make(map[digest.Digest]int)
	d.visit.Linked(func(v *graph.Visit) {
		subject := v.Node.Subject
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
		slices.SortFunc(l.referrers, func(a, b *graph.Visit) int { return cmp.Compare(a.Node.Digest, b.Node.Digest) })
	}
	return all
}

// pushLists makes sure that the target lists the manifests of a delivery that it
// lacked, once these are pushed.
func (p *pusher) pushLists(ctx context.Context, d *delivery) error {
	return sideBySide(p.workers, listsOf(d, d.lacks), func(l list) error {
		_, err := p.lists.Do(ctx, l.key(d), func() (struct{}, error) { return struct{}{}, p.pushList(ctx, d, l) })
		return err
	})
}

func (p *pusher) pushList(ctx context.Context, d *delivery, l list) error {
	by := make(map[digest.Digest]*graph.Visit)
	for _, v := range l.referrers {
		by[v.Node.Digest] = v
	}
	describe := func(ctx context.Context, desc ocispec.Descriptor) (ocispec.Descriptor, error) {
		return p.describe(ctx, by[desc.Digest])
	}
	return d.to.listReferrers(ctx, l, describe, func(desc ocispec.Descriptor) error {
		return p.pushAs(ctx, d, by[desc.Digest], desc.Digest.String())
	})
}

// describe makes the descriptor by which a list of referrers names a manifest: with its
// artifact type and annotations (distribution-spec, "Referrers Tag Schema").
func (p *pusher) describe(ctx context.Context, v *graph.Visit) (ocispec.Descriptor, error) {
	desc := v.Node.OCI()
	data, err := manifestBytes(ctx, p.source, v)
	if err == nil {
		err = bounds.EnterDocument(ctx, data)
	}
	if err != nil {
		return desc, err
	}
	m, err := oci.ParseManifest(desc, data)
	if err != nil {
		return desc, err
	}
	desc.ArtifactType, desc.Annotations = m.Kind(), m.Annotations
	return desc, nil
}

// listedReferrers asks a target which referrers it lists under a subject.
func listedReferrers(ctx context.Context, d *delivery, subject digest.Digest) ([]digest.Digest, error) {
	listed, err := d.repo.Referrers(ctx, ocispec.Descriptor{Digest: subject}, nil)
	digests := make([]digest.Digest, len(listed))
	for i, desc := range listed {
		digests[i] = desc.Digest
	}
	return digests, err
}

// without returns the referrers of a list that are not among others.
func (l list) without(others []digest.Digest) []*graph.Visit {
	return slices.DeleteFunc(slices.Clone(l.referrers), func(v *graph.Visit) bool { return slices.Contains(others, v.Node.Digest) })
}
