package restore

import (
	"context"
	"errors"
	"slices"

	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
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
	return pool.Each(2*s.workers, repositories, func(same []*delivery) error {
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
	blobs := make(map[content.Key]bool)
	for _, d := range same {
		d.visit.Core(func(v *graph.Visit) {
			for _, b := range v.Blobs() {
				blobs[b.Key()] = true
			}
		})
	}
	return n + len(blobs)
}
