package restore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
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
			skip := silent[d.target.Registry]
			mu.Unlock()
			if skip || d.tag == "" || d.fault != nil {
				return nil
			}
			err := s.glanceAt(ctx, d)
			if cause := context.Cause(ctx); cause != nil || err == nil {
				return cause
			}
			mu.Lock()
			defer mu.Unlock()
			if !silent[d.target.Registry] {
				silent[d.target.Registry] = true
				s.progress.Notice(fmt.Sprintf("cannot tell which tags of %s would be overwritten: %v", d.target.Registry, err))
			}
			return nil
		})
	}
	return group.Wait()
}

func (s *survey) glanceAt(ctx context.Context, d *delivery) error {
	var err error
	if d.repo, err = s.client.Repository(d.target.Registry, d.path); err != nil {
		return err
	}
	if err := s.previewRewrite(ctx, d); err != nil {
		return nil // the input is corrupt: that artifact goes nowhere
	}
	there, err := d.repo.ResolveOnce(ctx, d.tag)
	if err != nil && !errors.Is(err, errdef.ErrNotFound) {
		return err
	}
	data := func() ([]byte, error) { return s.source.Manifest(ctx, d.root, d.scope) }
	if err == nil && !graph.IsNamed(d.root.Digest, there.Digest, data) {
		if err := s.existing(d, there.Digest); err != nil {
			d.found.was = ""
			s.progress.Notice(err.Error())
		}
	}
	return nil
}

// previewRewrite computes the digest of an index that would be rewritten.
func (s *survey) previewRewrite(ctx context.Context, d *delivery) error {
	if d.target.PlatformMode != config.PlatformsRewrite || len(d.scope.Platforms) == 0 {
		return nil
	}
	v, err := s.source.Walk(ctx, d.source, d.root, d.scope)
	if err != nil || !v.IsSparse() {
		return err
	}
	d.visit = v
	err = s.rewrite(ctx, d)
	d.visit = nil
	return err
}
