package engine

import (
	"context"
	"errors"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// Resolved is what a reference stands for.
type Resolved struct {
	Reference config.Reference
	Digest    digest.Digest
	Err       error // it could not be resolved, or its repository not be listed
}

// Resolve finds out what selections select, in the order of the plan, and
// nothing of what that consists of: a tag costs one HEAD. The error is for all
// of it.
func Resolve(ctx context.Context, c *registry.Client, selections []config.Selection, o BackupOptions) ([]Resolved, error) {
	b := newBackup(c, o.withDefaults())
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * b.Concurrency)
	err := b.planner.expand(ctx, selections, func(a *artifact) error {
		group.Go(func() error {
			if a.err == nil {
				desc, err := a.origin.resolve(ctx, a.ref)
				a.root, a.err = compact(desc), err
			}
			b.Progress.Resolved(a.name)
			return context.Cause(ctx)
		})
		return nil
	})
	if err = errors.Join(err, group.Wait(), b.planner.sources.close()); err != nil {
		return nil, err
	}
	all := make([]Resolved, len(b.planner.all))
	for i, a := range b.planner.all {
		all[i] = Resolved{a.ref, a.root.digest, a.err}
	}
	return all, nil
}
