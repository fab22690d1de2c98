package restore

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
)

// askFirst resolves in each repository the reference of the first delivery to it. If that
// is not found, the repository may not exist yet: then one request for it replaces those for
// every tag and every blob.
func (s *survey) askFirst(ctx context.Context, all []*delivery) error {
	var repositories [][]*delivery
	at := make(map[string]int)
	for _, d := range all {
		if d.err != nil {
			continue
		}
		i, met := at[d.Repository()]
		if !met {
			i = len(repositories)
			at[d.Repository()], repositories = i, append(repositories, nil)
		}
		repositories[i] = append(repositories[i], d)
	}
	return sideBySide(2*s.workers, repositories, func(same []*delivery) error {
		first := same[0]
		desc, err := first.repo.Resolve(ctx, first.Reference())
		first.found.answer = &answer{desc, err}
		if errors.Is(err, errdef.ErrNotFound) && questions(same) > 2 && first.repo.IsUnknown(ctx) {
			for _, d := range same {
				d.found.fresh = true
			}
		}
		return context.Cause(ctx)
	})
}

// guessedBlobs is the assumed number of blobs of an artifact that is not walked yet.
const guessedBlobs = 3

// questions counts the further requests of some deliveries to an empty repository: one for
// each tag, and one for each blob.
func questions(same []*delivery) int {
	n := len(same) - 1
	if slices.ContainsFunc(same, func(d *delivery) bool { return d.visit == nil }) {
		return n + guessedBlobs
	}
	blobs := make(map[graph.ContentKey]bool)
	for _, d := range same {
		d.visit.Core(func(v *graph.Visit) {
			for _, b := range v.Blobs() {
				blobs[b.Key()] = true
			}
		})
	}
	return n + len(blobs)
}

// probe is a question to one repository that a registry does not know.
type probe struct {
	uploads []*upload // the first ones to the repository
	left    bool      // an earlier restore may have left blobs there
}

// probeFresh asks each repository that a registry does not know for one blob. A
// restore that ended before its first manifest may have left blobs there, which such a
// registry keeps in a repository that it does not know: then all are asked for.
func (u *uploads) probeFresh(ctx context.Context, workers int) error {
	var all []*probe
	at := make(map[string]*probe)
	for _, one := range u.order { // in this order they are sent
		to := one.recipients[0]
		if !to.fresh {
			continue
		}
		p := at[to.name(one)]
		if p == nil {
			p = &probe{}
			at[to.name(one)], all = p, append(all, p)
		}
		if len(p.uploads) < workers {
			p.uploads = append(p.uploads, one)
		}
	}
	err := sideBySide(2*workers, all, func(p *probe) error {
		// Of blobs that an earlier restore sent at the same time, the smallest was there first.
		one := slices.MinFunc(p.uploads, func(a, b *upload) int { return cmp.Compare(a.size, b.size) })
		has, err := one.recipients[0].repo.HasBlob(ctx, one.blob.OCI())
		p.left = has || err != nil
		return context.Cause(ctx)
	})
	for _, one := range u.order {
		for _, to := range one.recipients {
			if p := at[to.name(one)]; p != nil && p.left {
				to.fresh = false
			}
		}
	}
	return err
}
