package restore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
)

// glance finds the tags that a restore would overwrite, for a dry run. It sends one request for
// each, and none to a registry that failed once.
func (s *survey) glance(ctx context.Context, all []*delivery) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * s.workers)
	var mu sync.Mutex // guards silent
	silent := make(map[string]bool)
	for _, d := range all {
		group.Go(func() error {
			mu.Lock()
			skip := silent[d.Target.Registry]
			mu.Unlock()
			if skip || d.Tag == "" || d.Fault != nil {
				return nil
			}
			err := s.glanceAt(ctx, d)
			if cause := context.Cause(ctx); cause != nil || err == nil {
				return cause
			}
			mu.Lock()
			defer mu.Unlock()
			if !silent[d.Target.Registry] {
				silent[d.Target.Registry] = true
				s.progress.Notice(fmt.Sprintf("cannot tell which tags of %s would be overwritten: %v", d.Target.Registry, err))
			}
			return nil
		})
	}
	return group.Wait()
}

func (s *survey) glanceAt(ctx context.Context, d *delivery) error {
	var err error
	if d.repo, err = s.client.Repository(d.Target.Registry, d.Path); err != nil {
		return err
	}
	if err := s.previewRewrite(ctx, d); err != nil {
		return nil // the input is corrupt: that artifact goes nowhere
	}
	there, err := d.repo.ResolveOnce(ctx, d.Tag)
	if err != nil && !errors.Is(err, errdef.ErrNotFound) {
		return err
	}
	data := func() ([]byte, error) { return s.source.Manifest(ctx, d.Root, d.Scope) }
	if err == nil && !content.IsNamed(d.Root.Digest, there.Digest, data) {
		if err := s.existing(d, there.Digest); err != nil {
			d.found.was = ""
			s.progress.Notice(err.Error())
		}
	}
	return nil
}

// previewRewrite computes the digest of an index that would be rewritten.
func (s *survey) previewRewrite(ctx context.Context, d *delivery) error {
	if d.Target.PlatformMode != config.PlatformsRewrite || len(d.Scope.Platforms) == 0 {
		return nil
	}
	v, err := s.source.Walk(ctx, d.From.Repository(), d.Root, d.Scope)
	if err != nil || !v.IsSparse() {
		return err
	}
	d.visit = v
	err = s.rewrite(ctx, d)
	d.visit = nil
	return err
}
