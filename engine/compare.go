package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
)

// compare asks the targets what they have of each delivery, and makes of what
// they lack uploads for blobs to wait for.
func (r *restore) compare(ctx context.Context) error {
	attached := slices.ContainsFunc(r.all, func(d *delivery) bool { return d.subject != "" })
	if !attached {
		r.countOpen()
	}
	err := r.unlessFailed(ctx, func(ctx context.Context, d *delivery) error {
		err := r.unfold(ctx, d)
		if err != nil {
			r.Progress.Resolved() // no more will be asked about it
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := r.askFirst(ctx); err != nil {
		return err
	}
	err = r.unlessFailed(ctx, func(ctx context.Context, d *delivery) error {
		defer r.Progress.Resolved()
		return r.examine(ctx, d)
	})
	if err != nil {
		return err
	}
	if attached {
		r.adopt()
		r.countOpen()
	}
	for _, d := range r.all {
		if d.err == nil && !d.skipped {
			r.enqueue(d)
		}
	}
	return r.probeFresh(ctx)
}

// unlessFailed does something for each delivery that has not failed.
func (r *restore) unlessFailed(ctx context.Context, do func(context.Context, *delivery) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * r.Concurrency)
	for _, d := range r.all {
		if d.err != nil {
			continue
		}
		group.Go(func() error {
			if err := do(ctx, d); err != nil {
				return r.settle(ctx, d, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// unfold reads what a delivery consists of.
func (r *restore) unfold(ctx context.Context, d *delivery) error {
	if d.fault != nil {
		return d.fault
	}
	var err error
	if d.repo, err = r.client.Repository(d.target.Registry, d.path); err != nil {
		return err
	}
	d.repo.ExpectPush()
	if d.visit, err = r.graph.tour(ctx, r.in, d.scope, d.root.oci(), nil); err != nil {
		return corrupt(err)
	}
	if d.visit.missing != nil {
		return corrupt(d.visit.missing)
	}
	d.root = d.visit.node.descriptor
	if !d.visit.node.known {
		r.Progress.Notice(asBytes(d.name, d.root.mediaType))
	}
	if d.target.PlatformMode == config.PlatformsRewrite && d.visit.isSparse() {
		if err := r.rewrite(ctx, d); err != nil {
			return err
		}
	}
	d.refers = r.alongside(d)
	return nil
}

// examine finds out what the target lacks of one delivery. A tag with the right
// digest says that the root's graph is there, since registries take a manifest
// only after what it names; an index is asked for each child besides, and
// referrers are asked for by their lists.
func (r *restore) examine(ctx context.Context, d *delivery) error {
	there, err := d.resolve(ctx)
	if errors.Is(err, errdef.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !isNamed(d.root.digest, there.Digest, func() ([]byte, error) { return r.bytes(ctx, d.visit) }) {
		return r.existing(d, there.Digest)
	}
	d.present, d.lacks = true, make(map[*visit]bool)
	if err := r.inspect(ctx, d, d.visit, false, make(map[*visit]bool)); err != nil {
		return err
	}
	return r.inspectSubject(ctx, d)
}

// inspectSubject marks a delivery as lacking that is not listed under its subject.
func (r *restore) inspectSubject(ctx context.Context, d *delivery) error {
	subject := d.visit.node.subject
	if subject == "" {
		return nil
	}
	absent, err := r.lacksInList(ctx, d, list{subject, []*visit{d.visit}})
	if len(absent) > 0 {
		d.lacks[d.visit] = true
	}
	return err
}

// existing decides about a tag that has another digest.
func (r *restore) existing(d *delivery, there digest.Digest) error {
	d.changes, d.was = true, there
	switch d.target.ExistingTags {
	case config.ExistingFail:
		return &ExistsError{Reference: d.destination(), Digest: there}
	case config.ExistingSkip:
		r.Progress.Notice(fmt.Sprintf("%s exists with another digest; skipped", d.destination()))
		d.skipped = true
	}
	return nil
}

// inspect marks what the target lacks below a manifest that it has or has not,
// once for each that is seen.
func (r *restore) inspect(ctx context.Context, d *delivery, v *visit, lacking bool, seen map[*visit]bool) error {
	if seen[v] {
		return nil
	}
	seen[v] = true
	if lacking {
		d.lacks[v] = true
	}
	for _, leaf := range v.leaves {
		if d.lacks[v] || r.in.stream != nil && !v.node.index {
			break
		}
		has, err := r.hasBlob.do(ctx, d.place(leaf.digest), func() (bool, error) { return d.repo.HasBlob(ctx, leaf.oci()) })
		if err != nil {
			return err
		}
		if !has {
			d.lacks[v] = true
		}
	}
	for _, child := range v.below() {
		absent := lacking
		if !absent && !seen[child] {
			has, err := r.hasManifest.do(ctx, d.place(child.node.digest), func() (bool, error) { return d.repo.HasManifest(ctx, child.node.oci()) })
			if err != nil {
				return err
			}
			absent = !has
		}
		if err := r.inspect(ctx, d, child, absent, seen); err != nil {
			return err
		}
	}
	return r.inspectReferrers(ctx, d, v, lacking, seen)
}

func (r *restore) inspectReferrers(ctx context.Context, d *delivery, v *visit, lacking bool, seen map[*visit]bool) error {
	wanted := r.wanted(d, v)
	if len(wanted) == 0 {
		return nil
	}
	absent := wanted
	if !lacking {
		var err error
		if absent, err = r.lacksInList(ctx, d, list{v.node.digest, wanted}); err != nil {
			return err
		}
	}
	for _, w := range wanted {
		if err := r.inspect(ctx, d, w, slices.Contains(absent, w), seen); err != nil {
			return err
		}
	}
	return nil
}

// wanted returns those referrers of v that came from the delivery's repository.
func (r *restore) wanted(d *delivery, v *visit) []*visit {
	var wanted []*visit
	for _, w := range v.referrers {
		if r.in.belongs(w.node.digest, d.source) {
			wanted = append(wanted, w)
		}
	}
	return wanted
}

// each calls fn for the manifests of the delivery, each once, depth first, with
// the referrers that go along.
func (r *restore) each(d *delivery, v *visit, fn func(*visit)) {
	v.each(make(map[*visit]bool), func(v *visit) []*visit { return slices.Concat(v.below(), r.wanted(d, v)) }, fn)
}

// alongside lists what refers to a delivery and goes with it, each once.
func (r *restore) alongside(d *delivery) []digest.Digest {
	var found []digest.Digest
	r.each(d, d.visit, func(v *visit) {
		for _, w := range r.wanted(d, v) {
			found = append(found, w.node.digest)
		}
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// adopt gives what cosign attached by tags to the artifacts of this run that it
// belongs to. What belonged to an index that was rewritten belongs to nothing in
// the target, and is left out.
func (r *restore) adopt() {
	homes, gone := make(map[placeKey]*delivery), make(map[placeKey]bool)
	for _, d := range r.all {
		if d.subject != "" {
			continue
		}
		for _, old := range d.old {
			gone[d.place(old)] = true
		}
		homes[d.place(d.root.digest)] = d
		for _, part := range r.manifestsOf(d) {
			homes[d.place(part)] = d
		}
	}
	behind := 0
	r.all = slices.DeleteFunc(r.all, func(d *delivery) bool {
		home := homes[d.place(d.subject)]
		if home == nil && gone[d.place(d.subject)] {
			behind++
			return true
		}
		if d.subject != "" && home != nil {
			d.parent = home
			home.beside = append(home.beside, d)
		}
		return false
	})
	if behind > 0 {
		r.Progress.Notice("left behind with the indexes that were rewritten: " + quantity(behind, "cosign tag"))
	}
}

// manifestsOf lists what cosign may have attached something to, of a delivery that
// goes somewhere. A dry run has not unfolded it.
func (r *restore) manifestsOf(d *delivery) []digest.Digest {
	switch {
	case d.err != nil:
		return nil
	case d.visit == nil:
		return r.in.family(d.root.oci())
	}
	var found []digest.Digest
	d.visit.core(func(v *visit) { found = append(found, v.node.digest) })
	return found
}
