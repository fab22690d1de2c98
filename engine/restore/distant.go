package restore

import (
	"context"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// runDistant is run for a distant source: it resolves the names in the targets first, and walks
// only the roots that differ. The walks also find what cosign attached by tags.
func (s *survey) runDistant(ctx context.Context, far source.Distant, all []*delivery) ([]*delivery, error) {
	err := s.each(ctx, all, func(_ context.Context, d *delivery) error {
		err := s.open(d)
		if err != nil {
			s.progress.Resolved()
		}
		return err
	})
	if err == nil {
		err = s.askFirst(ctx, all)
	}
	if err == nil {
		err = s.each(ctx, all, func(ctx context.Context, d *delivery) error {
			defer s.progress.Resolved()
			return s.examineDistant(ctx, far, d)
		})
	}
	if err != nil {
		return all, err
	}
	known := len(all)
	all = append(all, s.attachments(all)...)
	if err := s.each(ctx, all[known:], s.examineAttached); err != nil {
		return all, err
	}
	all = s.adopt(all)
	s.ledger.count(all)
	return all, nil
}

// examineDistant resolves the name of a delivery in its target, and walks the delivery unless
// the target has all of it.
func (s *survey) examineDistant(ctx context.Context, far source.Distant, d *delivery) error {
	desc, err := d.resolve(ctx)
	d.found.answer = &answer{desc, err}
	done, err := s.isSettled(ctx, far, d, desc, err)
	if done || err != nil {
		return err
	}
	if err := s.read(ctx, d); err != nil {
		return err
	}
	return s.examine(ctx, d)
}

// isSettled reports whether a delivery needs no walk: its tag stays as it is, or the target
// has all that was selected already.
func (s *survey) isSettled(ctx context.Context, far source.Distant, d *delivery, there ocispec.Descriptor, err error) (bool, error) {
	rewrites := d.Target.PlatformMode == config.PlatformsRewrite && len(d.Scope.Platforms) > 0
	if err != nil || rewrites || there.Digest.Validate() != nil || there.Digest.Algorithm() != d.Root.Digest.Algorithm() {
		return false, nil
	}
	if there.Digest != d.Root.Digest {
		if d.Target.ExistingTags == config.ExistingSkip || d.Target.ExistingTags == config.ExistingFail {
			return true, s.existing(d, there.Digest)
		}
		return false, nil
	}
	if s.verify || d.Scope.Referrers || d.Scope.HasPolicy() {
		return false, nil
	}
	whole, err := s.hasChildren(ctx, far, d, d.Root.OCI(), 0)
	if err != nil || !whole {
		return false, err
	}
	d.found.present, d.found.lacks = true, make(map[*graph.Visit]bool)
	return true, nil
}

// maxNested bounds the depth of nested indexes that are read without a walk.
const maxNested = 4

// hasChildren reports whether a target that has a manifest has all that is selected below
// it: registries take a manifest only after its parts, except for a sparse index.
func (s *survey) hasChildren(ctx context.Context, far source.Distant, d *delivery, at ocispec.Descriptor, depth int) (bool, error) {
	if oci.IsImage(at.MediaType) {
		return true, nil
	}
	if !oci.IsIndex(at.MediaType) || depth > maxNested {
		return false, nil
	}
	children, err := far.Children(ctx, content.Of(at), d.Scope)
	if err != nil {
		return false, s.source.Fault(err)
	}
	for _, child := range children {
		has, err := s.hasManifest.Do(ctx, d.at(child.Digest), func() (bool, error) { return d.repo.HasManifest(ctx, child) })
		if err == nil && has {
			has, err = s.hasChildren(ctx, far, d, child, depth+1)
		}
		if err != nil || !has {
			return false, err
		}
	}
	return len(children) > 0, nil
}

// attachments returns a delivery for each manifest that cosign attached to an artifact by a
// tag. Their graphs are known already.
func (s *survey) attachments(all []*delivery) []*delivery {
	known := make(map[string]*delivery, len(all))
	for _, d := range all {
		if d.err == nil {
			known[d.Destination()] = d
		}
	}
	var found []*delivery
	for _, d := range all {
		if d.visit == nil || d.err != nil {
			continue
		}
		d.visit.Attachments(func(name string, _, v *graph.Visit) {
			a, err := s.attachment(d, name, v)
			if err != nil {
				d.short = err
			}
			if a == nil {
				return
			}
			switch other := known[a.Destination()]; {
			case other == nil:
				known[a.Destination()] = a
				found = append(found, a)
			case other.Root.Digest != a.Root.Digest:
				d.short = &engine.CollisionError{Target: a.Destination(), Sources: [2]string{other.Name, a.Name}}
			}
		})
	}
	return found
}

// attachment returns the delivery of a manifest that cosign attached to a part of another
// one, to the same target; nil if the mappings leave it out.
func (s *survey) attachment(to *delivery, name string, v *graph.Visit) (*delivery, error) {
	ref, _ := config.ParseEntryName(name)
	n := v.Node
	root := origin.Root{Entry: &oci.Entry{Name: name, MediaType: n.MediaType, Digest: n.Digest, Size: n.Size}, Ref: ref, Scope: to.Scope}
	r, err := s.routes.Map(&root, to.Target)
	if r == nil || err != nil {
		return nil, err
	}
	return &delivery{Route: r, visit: v, finder: to, refers: referrersOf(v)}, nil
}

func (s *survey) examineAttached(ctx context.Context, d *delivery) error {
	if err := s.open(d); err != nil {
		return err
	}
	d.found.fresh = d.finder.found.fresh && d.finder.Repository() == d.Repository()
	return s.examine(ctx, d)
}
