package cli

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"path/filepath"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/base"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/store"
)

// baseReader reads the bases of a run.
type baseReader struct {
	console *console.Console
	client  *registry.Client
	job     selected
	options engine.BackupOptions
	into    *base.Bases
}

// open reads the bases; nil if there is none.
func (b *bases) open(ctx context.Context, u *console.Console, client *registry.Client, job selected, o engine.BackupOptions) (engine.Base, error) {
	if len(b.all) == 0 {
		return nil, nil
	}
	all := &base.Bases{Notice: o.Progress.Notice, Concurrency: o.Concurrency}
	r := &baseReader{u, client, job, o, all}
	for _, one := range b.all {
		if err := r.read(ctx, one, b); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (r *baseReader) read(ctx context.Context, one baseOperand, b *bases) error {
	if len(one.layouts) > 0 {
		return r.readLayouts(ctx, one.layouts)
	}
	r.notice(one.name)
	if one.target != nil {
		return r.into.AddTarget(ctx, r.client, r.job.selections, base.Target{Target: *one.target, Mapper: b.mapper}, r.options)
	}
	r.into.Watch(one.name, func(context.Context) (bool, error) {
		text, err := os.ReadFile(one.lock.path)
		return !bytes.Equal(text, one.lock.text), err
	})
	return r.into.AddLock(ctx, r.client, one.lock.Lock, one.lock.Selections(one.lock.path), one.name, r.options)
}

func (r *baseReader) notice(name string) { r.console.Notice("reading the base %s", name) }

// readLayouts reads layouts. Each is a base, but for the parts of a bundle, which are one together.
func (r *baseReader) readLayouts(ctx context.Context, paths []string) error {
	buckets, err := openBuckets(ctx, r.console, r.job.spec)
	if err != nil {
		return err
	}
	all, faults, err := store.OpenMembers(paths, func(path string) (store.Layout, error) {
		return r.openLayout(ctx, path, store.OpenOptions{Buckets: buckets})
	})
	if err != nil {
		return err
	}
	defer store.CloseMembers(all)
	for _, fault := range faults {
		r.console.Notice("%v: the blobs that only this part has come along", fault)
	}
	for _, m := range all {
		name := nameOfBase(m.Path)
		r.notice(name)
		if err := r.into.AddLayout(ctx, m.Layout, name); err != nil {
			return err
		}
	}
	return nil
}

// openLayout opens a layout whose state is compared at the end of the run.
func (r *baseReader) openLayout(ctx context.Context, path string, o store.OpenOptions) (store.Layout, error) {
	place, err := store.At(path, o)
	if err != nil {
		return nil, err
	}
	state, stateErr := place.State(ctx)
	l, err := place.Open()
	if err := cmp.Or(err, stateErr); err != nil {
		return nil, err
	}
	r.into.Watch(nameOfBase(path), func(ctx context.Context) (bool, error) {
		now, err := place.State(ctx)
		return !now.Same(state), err
	})
	return l, nil
}

// nameOfBase names a layout where the delta is used: a path on this machine means nothing there.
func nameOfBase(path string) string {
	if store.IsInBucket(path) {
		return path
	}
	return filepath.Base(filepath.Clean(path))
}
