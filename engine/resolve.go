package engine

import (
	"context"
	"errors"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// Resolved is what a reference stands for.
type Resolved struct {
	Reference config.Reference
	Digest    digest.Digest
	Err       error // it could not be resolved, or its repository not be listed
}

// Listed names the artifacts of a layout as a backup of it names them: what has a bare
// tag, or no name, belongs to repository. One that cannot be backed up has an Err.
func Listed(l store.Layout, path string, repository config.Reference) []Resolved {
	var all []Resolved
	for _, r := range newLocal(l, path).rootsOf(l.Index().Entries, repository) {
		all = append(all, Resolved{r.ref, r.entry.Digest, r.misplaced(path)})
	}
	return all
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
