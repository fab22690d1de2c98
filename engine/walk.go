package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// explore walks the manifest at a stop, with what it leads to, as s selects that.
func (g *graph) explore(ctx context.Context, v *visit, s *scope, at stop) error {
	if at.depth == 0 {
		ctx = walking(ctx)
	}
	o := v.origin
	n, err := g.enter(ctx, o, at)
	if at.child && (errors.Is(err, errBlob) || err == nil && n.content != nil) {
		v.leaves = []*blob{g.leaf(o, at.desc, n)}
		return nil
	}
	if err != nil {
		return err
	}
	v.node = n
	if !n.known && at.depth > 0 {
		g.notice(asBytes(o.repository()+"@"+n.digest.String(), n.mediaType))
	}
	if err := g.layersElsewhere(ctx, v); err != nil {
		return err
	}
	children := s.children(n)
	if v.sparse = len(children) < len(n.children); v.sparse && len(children) == 0 && at.depth == 0 {
		return &PlatformError{Reference: o.repository() + "@" + at.desc.Digest.String(), Wanted: s.platforms, Have: platformsIn(n.children)}
	}
	if err := steps(ctx, len(children)); err != nil {
		return walkError(o, at.desc, err)
	}
	return g.descend(ctx, v, s, at, children)
}

// enter reads the manifest at a stop, unless the walk went beyond a limit before it.
func (g *graph) enter(ctx context.Context, o origin, at stop) (*node, error) {
	if at.depth > bounds.Depth {
		return nil, walkError(o, at.desc, bounds.TooDeep)
	}
	if err := steps(ctx, 0); err != nil { // some other branch went beyond it
		return nil, walkError(o, at.desc, err)
	}
	return g.node(ctx, o, at)
}

// descend walks side by side the children of v that are selected, its subject and what
// refers to it.
func (g *graph) descend(ctx context.Context, v *visit, s *scope, at stop, children []ocispec.Descriptor) error {
	below := make([]*visit, len(children))
	// No group context: a child may be shared with an artifact that can be had,
	// and must not be given up because its sibling cannot.
	var group errgroup.Group
	group.SetLimit(abreast)
	for i, child := range children {
		group.Go(func() (err error) {
			below[i], err = g.visit(ctx, v, v.origin, s, childStop(child, at.depth+1))
			return err
		})
	}
	if v.node.subject != at.of && v.node.leads != nil && s.follows(v.node.subject) {
		group.Go(func() (err error) {
			v.subject, err = g.subject(ctx, v, s, at.depth+1)
			return err
		})
	}
	var unlisted, unattached error // why some referrers, or what is attached by tags, cannot be had
	lost := 0
	if s.referrers {
		group.Go(func() error {
			v.attached, lost, unattached = g.attachments(ctx, v, s, at.depth)
			return nil
		})
		v.referrers, v.lost, unlisted = g.referrers(ctx, v, s, at.depth)
	}
	err := group.Wait()
	v.lost += lost
	v.missing = cmp.Or(unlisted, unattached)
	if err != nil {
		return err
	}
	v.adopt(below)
	return nil
}

// asBytes says of what a manifest of an unknown type points at that it stays behind.
func asBytes(name, mediaType string) string {
	return fmt.Sprintf("%s has the unknown media type %q: it is copied as it is, without anything that it may refer to", name, mediaType)
}

// layersElsewhere takes those of v's layers along that no registry has to have and this
// one has. Their URLs are not asked: the runtime of the image may do so.
func (g *graph) layersElsewhere(ctx context.Context, v *visit) error {
	for _, d := range v.node.elsewhere {
		has, err := v.origin.hasBlob(ctx, d.oci())
		switch {
		case err != nil:
			return err
		case has:
			v.leaves = append(v.leaves, g.blob(d.oci(), v.origin))
		case !onDisk(v.origin):
			g.tellLeftOut(v, d)
		}
	}
	return nil
}

// tellLeftOut says once of a layer that it stays behind.
func (g *graph) tellLeftOut(v *visit, layer descriptor) {
	g.mu.Lock()
	told := g.leftOut[layer.digest]
	g.leftOut[layer.digest] = true
	g.mu.Unlock()
	if !told {
		g.notice(fmt.Sprintf("%s@%s: the registry does not have the layer %s, which need not be distributed: left out", v.origin.repository(), v.node.digest, layer.digest))
	}
}

// leaf returns the blob that an index names in the place of a manifest. What came as a
// manifest all the same need not be asked for again.
func (g *graph) leaf(o origin, desc ocispec.Descriptor, n *node) *blob {
	if n != nil && !onDisk(o) {
		o = &inline{origin: o, data: n.content}
	}
	return g.blob(desc, o)
}

// adopt takes what an index names: manifests and blobs.
func (v *visit) adopt(below []*visit) {
	for _, w := range below {
		if w.isBlob() {
			v.leaves = append(v.leaves, w.leaves...)
		}
	}
	v.children = slices.DeleteFunc(below, (*visit).isBlob)
}

func walkError(o origin, desc ocispec.Descriptor, err error) error {
	return &ArtifactError{Reference: o.repository() + "@" + desc.Digest.String(), Op: "walk", Err: err}
}

// referrers walks what refers to v. One that cannot be had is an error beside
// the others, not instead of them; lost counts those.
func (g *graph) referrers(ctx context.Context, v *visit, s *scope, depth int) (visits []*visit, lost int, err error) {
	reading, done := g.lane.Begin(ctx)
	listed, err := v.origin.referrers(reading, v.node.oci())
	done()
	if err == nil {
		err = steps(ctx, len(listed))
	}
	if err != nil {
		return nil, 0, err
	}
	// Registries list them in any order; a bundle must not depend on it.
	slices.SortFunc(listed, func(a, b ocispec.Descriptor) int { return cmp.Compare(a.Digest, b.Digest) })
	listed = slices.CompactFunc(listed, func(a, b ocispec.Descriptor) bool { return a.Digest == b.Digest })

	visits = make([]*visit, len(listed))
	errs := make([]error, len(listed))
	var group errgroup.Group
	group.SetLimit(abreast)
	for i, desc := range listed {
		group.Go(func() error {
			visits[i], errs[i] = g.referrer(ctx, v, s, desc, depth+1)
			return nil
		})
	}
	_ = group.Wait() // its functions never fail: errs has them
	visits = slices.DeleteFunc(visits, func(v *visit) bool { return v == nil })
	for _, err := range errs {
		if err != nil {
			lost++
		}
	}
	return visits, lost, cmp.Or(errs...)
}

// referrer walks one referrer, nil if it turns out not to refer to v at all: a
// list under the referrers tag may be stale, and a manifest alone says what its
// subject is.
func (g *graph) referrer(ctx context.Context, v *visit, s *scope, desc ocispec.Descriptor, depth int) (*visit, error) {
	o, n := v.origin, v.node
	if desc.ArtifactType != "" && !s.wants(desc.ArtifactType) || !s.pinned(desc.Digest) {
		return nil, nil
	}
	r, err := g.node(ctx, o, stop{desc: desc})
	if err != nil {
		return nil, err
	}
	if r.subject != n.digest {
		g.notice(fmt.Sprintf("%s@%s is listed as a referrer of %s but does not refer to it; skipped", o.repository(), desc.Digest, n.digest))
		return nil, nil
	}
	if !s.wants(r.kind) {
		return nil, nil
	}
	w, err := g.visit(ctx, v, o, s.forReferrers(), stop{desc: desc, depth: depth, of: n.digest})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// subject walks what v refers to: a signature that has a tag of its own is worth
// little without what it signs. nil: it is not there, and need not be
// (distribution-spec, "Pushing Manifests with Subject"), unless a lock pins it.
func (g *graph) subject(ctx context.Context, v *visit, s *scope, depth int) (*visit, error) {
	if err := steps(ctx, 1); err != nil {
		return nil, err
	}
	at := stop{desc: v.node.leads.oci(), depth: depth}
	_, err := g.node(ctx, v.origin, at)
	if absent := errors.Is(err, errdef.ErrNotFound) || errors.Is(err, fs.ErrNotExist); absent && !s.locked {
		if !onDisk(v.origin) {
			g.notice(fmt.Sprintf("%s@%s refers to %s, which is not there", v.origin.repository(), v.node.digest, v.node.subject))
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w, err := g.visit(ctx, v, v.origin, s.forSubject(), at)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// attachments walks what cosign attached to v by tags. lost counts those that
// cannot be had.
func (g *graph) attachments(ctx context.Context, v *visit, s *scope, depth int) (all []attachment, lost int, err error) {
	refs, err := v.origin.attached(ctx, v.node.digest, s.beside != nil)
	if err != nil {
		return nil, 0, err
	}
	for _, ref := range refs {
		w, failure := g.attachment(ctx, v, s, ref, depth+1)
		switch {
		case failure != nil:
			lost++
			err = cmp.Or(err, failure)
		case w != nil:
			all = append(all, attachment{ref.EntryName(), w})
		}
	}
	return all, lost, err
}

// attachment walks what stands under one of cosign's tags, nil if it is not
// selected. It has no artifact type: the media types of its layers say what it is.
func (g *graph) attachment(ctx context.Context, v *visit, s *scope, ref config.Reference, depth int) (*visit, error) {
	o := v.origin
	desc, data, err := g.root(ctx, o, ref)
	if err != nil || !s.pinned(desc.Digest) {
		return nil, err
	}
	n, err := g.node(ctx, o, stop{desc: desc, data: data})
	if err != nil {
		return nil, err
	}
	wanted := slices.ContainsFunc(n.blobs, func(b *blob) bool { return s.wants(n.typeOf(b)) })
	if !wanted && !s.wants(n.kind) {
		return nil, nil
	}
	w, err := g.visit(ctx, v, o, s.forReferrers(), stop{desc: desc, data: data, depth: depth})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// abreast bounds how many children of one manifest, or referrers, are walked at a time: an
// index of 10,000 would have as many stacks of goroutines. What is walked may wait for
// what others have begun to walk, never for what has not begun.
const abreast = 64

type walkKey struct{}

// walking is the context of a walk through one artifact, which counts what is
// begun on it.
func walking(ctx context.Context) context.Context {
	return context.WithValue(ctx, walkKey{}, new(atomic.Int64))
}

// steps counts manifests of a walk before anything is begun for them.
func steps(ctx context.Context, manifests int) error {
	n, ok := ctx.Value(walkKey{}).(*atomic.Int64)
	if ok && n.Add(int64(manifests)) > bounds.Manifests {
		return bounds.TooBroad
	}
	return nil
}
