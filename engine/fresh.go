package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
)

// answer is the answer of a target to a reference.
type answer struct {
	desc ocispec.Descriptor
	err  error
}

// askFirst asks, for the first delivery to each repository, what its reference stands
// for there. If that is nothing, the repository may not exist yet: then it is asked
// for, in the place of every tag and every blob.
func (r *restore) askFirst(ctx context.Context) error {
	var repositories [][]*delivery
	at := make(map[placeKey]int)
	for _, d := range r.all {
		if d.err != nil {
			continue
		}
		i, met := at[d.place("")]
		if !met {
			i = len(repositories)
			at[d.place("")], repositories = i, append(repositories, nil)
		}
		repositories[i] = append(repositories[i], d)
	}
	return sideBySide(2*r.Concurrency, repositories, func(same []*delivery) error {
		first := same[0]
		desc, err := first.repo.Resolve(ctx, first.reference())
		first.answer = &answer{desc, err}
		if errors.Is(err, errdef.ErrNotFound) && questions(same) > 2 && first.repo.IsUnknown(ctx) {
			for _, d := range same {
				d.fresh = true
			}
		}
		return context.Cause(ctx)
	})
}

// questions counts what else would be asked about some deliveries to a repository
// that has nothing: one for each tag, and one for each blob.
func questions(same []*delivery) int {
	n := len(same) - 1
	blobs := make(map[contentKey]bool)
	for _, d := range same {
		d.visit.core(func(v *visit) {
			for _, b := range v.blobs() {
				blobs[b.key()] = true
			}
		})
	}
	return n + len(blobs)
}

// resolve returns what the reference of a delivery stands for in its target;
// errdef.ErrNotFound is nothing.
func (d *delivery) resolve(ctx context.Context) (ocispec.Descriptor, error) {
	switch {
	case d.answer != nil:
		return d.answer.desc, d.answer.err
	case d.fresh:
		return ocispec.Descriptor{}, errdef.ErrNotFound
	}
	return d.repo.Resolve(ctx, d.reference())
}

// probe asks in one repository that a registry does not know.
type probe struct {
	uploads []*upload // the first ones that go there
	left    bool      // something may be there all the same
}

// probeFresh asks each repository that a registry does not know for one blob. A
// restore that ended before its first manifest may have left blobs there, which such
// a registry has and does not count: then all are asked for.
func (r *restore) probeFresh(ctx context.Context) error {
	var all []*probe
	at := make(map[placeKey]*probe)
	for _, u := range r.order { // in this order they are sent
		p := u.places[0]
		if !p.fresh {
			continue
		}
		one := at[u.keyOf(p)]
		if one == nil {
			one = &probe{}
			at[u.keyOf(p)], all = one, append(all, one)
		}
		if len(one.uploads) < r.Concurrency {
			one.uploads = append(one.uploads, u)
		}
	}
	err := sideBySide(2*r.Concurrency, all, func(one *probe) error {
		// The smallest of those that set out together was there before the others.
		u := slices.MinFunc(one.uploads, func(a, b *upload) int { return cmp.Compare(a.size, b.size) })
		has, err := u.places[0].repo.HasBlob(ctx, u.blob.oci())
		one.left = has || err != nil
		return context.Cause(ctx)
	})
	for _, u := range r.order {
		for _, p := range u.places {
			if one := at[u.keyOf(p)]; one != nil && one.left {
				p.fresh = false
			}
		}
	}
	return err
}

func (u *upload) keyOf(p *place) placeKey { return placeKey{repository: u.registry + "/" + p.path} }
