package restore

import (
	"cmp"
	"context"
	"slices"

	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
)

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
	err := pool.Each(2*workers, all, func(p *probe) error {
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
