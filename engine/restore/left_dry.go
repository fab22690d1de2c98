package restore

import (
	"context"
	"errors"
	"fmt"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// tellLeft tells, in a dry run, how many blobs a delta leaves to its base. The targets are not asked
// for them: that would take a request for each.
func (r *run) tellLeft(ctx context.Context) error {
	from, is := r.source.(source.Dependent)
	if !is || !from.IsAlone() {
		return nil
	}
	base, met := "", make(map[content.Key]bool)
	left := 0
	for _, d := range r.all {
		if d.err != nil || d.found.skipped {
			continue
		}
		visit, err := r.source.Walk(ctx, d.From.Repository(), d.Root, d.Scope)
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err != nil { // the restore fails for the same reason
			continue
		}
		visit.Linked(func(v *graph.Visit) {
			for _, b := range v.Blobs() {
				if met[b.Key()] {
					continue
				}
				met[b.Key()] = true
				if needs, is := errors.AsType[*engine.NeedsBaseError](from.Left(b.Descriptor)); is {
					base, left = needs.Base, left+1
				}
			}
		})
	}
	switch {
	case left == 1:
		r.Progress.Notice("1 blob is left to " + base + "; the target must have it")
	case left > 1:
		r.Progress.Notice(fmt.Sprintf("%d blobs are left to %s; the target must have them", left, base))
	}
	return nil
}
