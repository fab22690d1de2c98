package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore/route"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// survey finds the parts of each delivery that the targets lack, with as few requests as
// possible.
type survey struct {
	source   source.Source
	client   *registry.Client
	progress engine.Progress
	workers  int  // that walk and ask
	verify   bool // everything is read back, so everything is walked
	ledger   *ledger
	routes   *route.Routes
	target   func(registry string, repo *registry.Repository) target

	hasBlob     pool.Once[manifestKey, bool] // before anything was pushed
	hasManifest pool.Once[manifestKey, bool]
	listed      pool.Once[manifestKey, []digest.Digest] // by subject
}

// run walks all deliveries and asks the targets for them. It returns those deliveries that
// go out, with the attached ones beside their artifacts.
func (s *survey) run(ctx context.Context, all []*delivery) ([]*delivery, error) {
	if far, is := s.source.(source.Distant); is {
		return s.runDistant(ctx, far, all)
	}
	attached := slices.ContainsFunc(all, func(d *delivery) bool { return d.Subject != "" })
	if !attached {
		s.ledger.count(all)
	}
	err := s.each(ctx, all, func(ctx context.Context, d *delivery) error {
		err := s.walk(ctx, d)
		if err != nil {
			s.progress.Resolved() // no more will be asked about it
		}
		return err
	})
	if err != nil {
		return all, err
	}
	if err := s.askFirst(ctx, all); err != nil {
		return all, err
	}
	err = s.each(ctx, all, func(ctx context.Context, d *delivery) error {
		defer s.progress.Resolved()
		return s.examine(ctx, d)
	})
	if err != nil {
		return all, err
	}
	if attached {
		all = s.adopt(all)
		s.ledger.count(all)
	}
	return all, nil
}

// each calls do for each delivery that has not failed, several at a time.
func (s *survey) each(ctx context.Context, all []*delivery, do func(context.Context, *delivery) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * s.workers)
	for _, d := range all {
		if d.err != nil {
			continue
		}
		group.Go(func() error {
			if err := do(ctx, d); err != nil {
				return s.ledger.record(ctx, d, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// walk reads the graph of a delivery.
func (s *survey) walk(ctx context.Context, d *delivery) error {
	if err := s.open(d); err != nil {
		return err
	}
	return s.read(ctx, d)
}

// open opens the repository that a delivery goes to.
func (s *survey) open(d *delivery) error {
	if d.Fault != nil {
		return d.Fault
	}
	var err error
	if d.repo, err = s.client.Repository(d.Target.Registry, d.Path); err != nil {
		return err
	}
	d.to = s.target(d.Target.Registry, d.repo)
	d.repo.ExpectPush()
	return nil
}

// read reads the graph of a delivery whose repository is open.
func (s *survey) read(ctx context.Context, d *delivery) error {
	var err error
	if d.visit, err = s.source.Walk(ctx, d.From.Repository(), d.Root, d.Scope); err != nil {
		return s.source.Fault(err)
	}
	if far, is := s.source.(source.Distant); is {
		if d.signedBy, err = far.SignedBy(ctx, d.visit, d.Scope); err != nil {
			d.visit = nil // nothing of it counts
			return unverified(d.Name, err)
		}
		d.short = far.Lacks(d.visit, d.Scope)
	} else if d.visit.Missing != nil {
		return source.Corrupt(d.visit.Missing)
	}
	d.Root = d.visit.Node.Descriptor
	if !d.visit.Node.Known {
		s.progress.Notice(graph.UnknownTypeNotice(d.Name, d.Root.MediaType))
	}
	if d.Target.PlatformMode == config.PlatformsRewrite && d.visit.IsSparse() {
		if err := s.rewrite(ctx, d); err != nil {
			return err
		}
	}
	d.refers = referrersOf(d.visit)
	return nil
}

// referrersOf lists the referrers of a manifest and of those below it, each once.
func referrersOf(root *graph.Visit) []digest.Digest {
	var found []digest.Digest
	root.Linked(func(v *graph.Visit) {
		for _, w := range v.Referrers {
			found = append(found, w.Node.Digest)
		}
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// examine finds the parts of one delivery that the target lacks. A tag with the right
// digest means that the root's graph is there, since registries take a manifest only after
// its parts; the children of an index are asked for besides, and referrers by their
// lists.
func (s *survey) examine(ctx context.Context, d *delivery) error {
	there, err := d.resolve(ctx)
	if errors.Is(err, errdef.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !content.IsNamed(d.Root.Digest, there.Digest, func() ([]byte, error) { return manifestBytes(ctx, s.source, d.visit) }) {
		return s.existing(d, there.Digest)
	}
	d.found.present, d.found.lacks = true, make(map[*graph.Visit]bool)
	if err := s.inspect(ctx, d, d.visit, false, make(map[*graph.Visit]bool)); err != nil {
		return err
	}
	return s.inspectSubject(ctx, d)
}

// inspectSubject marks a delivery as lacking if it is not listed under its subject.
func (s *survey) inspectSubject(ctx context.Context, d *delivery) error {
	subject := d.visit.Node.Subject
	if subject == "" {
		return nil
	}
	absent, err := s.unlisted(ctx, d, list{subject, []*graph.Visit{d.visit}})
	if len(absent) > 0 {
		d.found.lacks[d.visit] = true
	}
	return err
}

// existing decides about a tag that has another digest.
func (s *survey) existing(d *delivery, there digest.Digest) error {
	d.found.changes, d.found.was = true, there
	switch d.Target.ExistingTags {
	case config.ExistingFail:
		return &engine.ExistsError{Reference: d.Destination(), Digest: there}
	case config.ExistingSkip:
		s.progress.Notice(fmt.Sprintf("%s exists with another digest; skipped", d.Destination()))
		d.found.skipped = true
	}
	return nil
}

// inspect marks the manifests that the target lacks, from v down, each once. lacking says that
// it lacks v.
func (s *survey) inspect(ctx context.Context, d *delivery, v *graph.Visit, lacking bool, seen map[*graph.Visit]bool) error {
	if seen[v] {
		return nil
	}
	seen[v] = true
	if lacking {
		d.found.lacks[v] = true
	}
	if err := s.inspectLeaves(ctx, d, v); err != nil {
		return err
	}
	for _, child := range v.Below() {
		absent := lacking
		if !absent && !seen[child] {
			has, err := s.hasManifest.Do(ctx, d.at(child.Node.Digest), func() (bool, error) { return d.repo.HasManifest(ctx, child.Node.OCI()) })
			if err != nil {
				return err
			}
			absent = !has
		}
		if err := s.inspect(ctx, d, child, absent, seen); err != nil {
			return err
		}
	}
	return s.inspectReferrers(ctx, d, v, lacking, seen)
}

// inspectLeaves asks for the blobs that a registry does not need for taking a manifest,
// of those that the source is sure to have.
func (s *survey) inspectLeaves(ctx context.Context, d *delivery, v *graph.Visit) error {
	certain := s.source.Certain(v)
	for _, leaf := range v.Leaves {
		if d.found.lacks[v] || !slices.Contains(certain, leaf) {
			return nil
		}
		has, err := s.hasBlob.Do(ctx, d.at(leaf.Digest), func() (bool, error) { return d.repo.HasBlob(ctx, leaf.OCI()) })
		if err != nil {
			return err
		}
		if !has {
			d.found.lacks[v] = true
		}
	}
	return nil
}

func (s *survey) inspectReferrers(ctx context.Context, d *delivery, v *graph.Visit, lacking bool, seen map[*graph.Visit]bool) error {
	if len(v.Referrers) == 0 {
		return nil
	}
	absent := v.Referrers
	if !lacking {
		var err error
		if absent, err = s.unlisted(ctx, d, list{v.Node.Digest, v.Referrers}); err != nil {
			return err
		}
	}
	for _, w := range v.Referrers {
		if err := s.inspect(ctx, d, w, slices.Contains(absent, w), seen); err != nil {
			return err
		}
	}
	return nil
}

// unlisted returns those of a list that the target does not list before anything is
// pushed.
func (s *survey) unlisted(ctx context.Context, d *delivery, l list) ([]*graph.Visit, error) {
	listed, err := s.listed.Do(ctx, d.at(l.subject), func() ([]digest.Digest, error) { return listedReferrers(ctx, d, l.subject) })
	return l.without(listed), err
}
