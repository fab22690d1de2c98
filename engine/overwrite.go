package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
)

// overwrote tells whether the delivery moved a tag that had another digest, or would.
func (d *delivery) overwrote() bool {
	var readback *ReadbackError
	return d.was != "" && !d.skipped && (d.err == nil || errors.As(d.err, &readback))
}

// noteOverwritten says it of a tag of cosign's, which has no line of its own.
func (r *restore) noteOverwritten(d *delivery) {
	if d.parent == nil || !d.overwrote() {
		return
	}
	verb := "is"
	if r.DryRun {
		verb = "would be"
	}
	r.Progress.Notice(fmt.Sprintf("%s %s overwritten, was %s", d.destination(), verb, d.was))
}

// noteOwnSources says where a restore goes to what its input was made of: since then
// that may have got newer content.
func (r *restore) noteOwnSources(all []*delivery) {
	sources := make(map[string]bool)
	for _, root := range r.in.roots {
		if root.ref.Registry != "" {
			sources[strings.ToLower(root.ref.Registry)+"/"+root.ref.Repository] = true
		}
	}
	var own []string
	for _, d := range all {
		if d.fault != nil {
			continue
		}
		if name := d.target.Registry + "/" + d.path; sources[strings.ToLower(d.target.Registry)+"/"+d.path] && !slices.Contains(own, name) {
			own = append(own, name)
		}
	}
	if len(own) == 0 {
		return
	}
	const most = 5
	text := strings.Join(own[:min(most, len(own))], ", ")
	if more := len(own) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	r.Progress.Notice("this restores to what are sources of the input itself: " + text)
}

// glance finds out what a restore would overwrite. It asks once for each tag; what a
// registry that does not answer has is not known.
func (r *restore) glance(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * r.Concurrency)
	var mu sync.Mutex // guards silent
	silent := make(map[string]bool)
	for _, d := range r.all {
		group.Go(func() error {
			mu.Lock()
			skip := silent[d.target.Registry]
			mu.Unlock()
			if skip || d.tag == "" || d.fault != nil {
				return nil
			}
			err := r.glanceAt(ctx, d)
			if cause := context.Cause(ctx); cause != nil || err == nil {
				return cause
			}
			mu.Lock()
			defer mu.Unlock()
			if !silent[d.target.Registry] {
				silent[d.target.Registry] = true
				r.Progress.Notice(fmt.Sprintf("what would be overwritten in %s is not known: %v", d.target.Registry, err))
			}
			return nil
		})
	}
	return group.Wait()
}

func (r *restore) glanceAt(ctx context.Context, d *delivery) error {
	var err error
	if d.repo, err = r.client.Repository(d.target.Registry, d.path); err != nil {
		return err
	}
	if err := r.foreseeRewrite(ctx, d); err != nil {
		return nil // the input is corrupt: that artifact goes nowhere
	}
	there, err := d.repo.ResolveOnce(ctx, d.tag)
	if err != nil && !errors.Is(err, errdef.ErrNotFound) {
		return err
	}
	data := func() ([]byte, error) { return r.in.manifest(ctx, d.root.oci()) }
	if err == nil && !isNamed(d.root.digest, there.Digest, data) {
		if err := r.existing(d, there.Digest); err != nil {
			d.was = ""
			r.Progress.Notice(err.Error())
		}
	}
	return nil
}

// foreseeRewrite finds the digest that an index without all of its platforms would
// get.
func (r *restore) foreseeRewrite(ctx context.Context, d *delivery) error {
	if d.target.PlatformMode != config.PlatformsRewrite || len(d.scope.platforms) == 0 {
		return nil
	}
	v, err := r.graph.tour(ctx, r.in, d.scope, d.root.oci(), nil)
	if err != nil || !v.isSparse() {
		return err
	}
	d.visit = v
	err = r.rewrite(ctx, d)
	d.visit = nil
	return err
}
