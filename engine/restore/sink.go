package restore

import (
	"context"
	"sync/atomic"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// The uploads are the sink that a source gives its blobs to.
var _ source.Sink = (*uploads)(nil)

func (u *uploads) Start() error { return u.start() }

func (u *uploads) Queue(b content.Descriptor, c source.Content, done func()) {
	var left atomic.Int32
	all := u.byBlob[b.Key()]
	left.Store(int32(len(all)))
	for _, one := range all {
		u.pool.Add(one.registry, one.size, func(ctx context.Context) error {
			defer func() {
				if left.Add(-1) == 0 && done != nil {
					done()
				}
			}()
			if err := u.transfer(ctx, one, c); err != nil {
				return err
			}
			return u.release(one)
		})
	}
}

func (u *uploads) Pass(ctx context.Context, b content.Descriptor, c source.Content, arrived func() bool) error {
	all := u.byBlob[b.Key()]
	for _, one := range all {
		if err := u.transfer(ctx, one, c); err != nil {
			return err
		}
	}
	if !arrived() {
		return nil
	}
	return u.releaseAll(all)
}

func (u *uploads) Find(b content.Descriptor) {
	for _, one := range u.byBlob[b.Key()] {
		u.pool.Add(one.registry, 0, func(ctx context.Context) error {
			for _, to := range one.recipients {
				has, err := to.repo.HasBlob(ctx, b.OCI())
				if err == nil && !has {
					err = &engine.CorruptError{Err: &engine.MissingBlobError{Blob: b.Digest.String()}}
				}
				to.err = err
			}
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return u.release(one)
		})
	}
}

func (u *uploads) Lack(b content.Descriptor, why error) error {
	all := u.byBlob[b.Key()]
	for _, one := range all {
		for _, to := range one.recipients {
			to.err = &engine.CorruptError{Err: why}
		}
	}
	return u.releaseAll(all)
}

func (u *uploads) releaseAll(all []*upload) error {
	for _, one := range all {
		if err := u.release(one); err != nil {
			return err
		}
	}
	return nil
}
