package restore

import (
	"cmp"
	"context"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
)

// list names the referrers of one subject that a target has to list.
type list struct {
	subject   digest.Digest
	referrers []*graph.Visit // by digest
}

// descriptors returns the referrers without what their manifests say of themselves.
func (l list) descriptors() []ocispec.Descriptor {
	all := make([]ocispec.Descriptor, len(l.referrers))
	for i, v := range l.referrers {
		all[i] = v.Node.OCI()
	}
	return all
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
