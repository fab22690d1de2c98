package store

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
)

// syncJobs is the number of files that are synced concurrently: one after the other each
// takes 384 µs, with sixteen at once 217 µs.
const syncJobs = 16

// syncBlobs syncs blobs, then their folders, then the parents of these up to the folder of
// the layout, which is left to the caller.
func (d *Dir) syncBlobs(ctx context.Context, blobs []digest.Digest) error {
	err := inParallel(ctx, blobs, func(g digest.Digest) error { return d.sync(d.blobPath(g)) })
	if err != nil {
		return err
	}
	met := make(map[string]bool)
	for _, g := range blobs {
		met[filepath.Dir(d.blobPath(g))] = true
	}
	folders := slices.Sorted(maps.Keys(met))
	for len(folders) > 0 {
		if err := inParallel(ctx, folders, d.sync); err != nil {
			return err
		}
		folders = parentFolders(d.path, folders)
	}
	return nil
}

func parentFolders(root string, folders []string) []string {
	above := make(map[string]bool)
	for _, folder := range folders {
		if parent := filepath.Dir(folder); parent != root && len(parent) > len(root) {
			above[parent] = true
		}
	}
	return slices.Sorted(maps.Keys(above))
}

func inParallel[T any](ctx context.Context, all []T, do func(T) error) error {
	jobs, jobsCtx := errgroup.WithContext(ctx)
	jobs.SetLimit(syncJobs)
	for _, one := range all {
		if jobsCtx.Err() != nil {
			break
		}
		jobs.Go(func() error { return do(one) })
	}
	if err := jobs.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}
