package graph

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
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// walk goes through the graph of one artifact, as one origin has it and one scope
// selects it.
type walk struct {
	*Graph
	origin Origin
	scope  *Scope
	begun  *atomic.Int64 // manifests of the artifact, whatever their scope
}

// within returns the same walk where another scope selects.
func (w *walk) within(s *Scope) *walk {
	return &walk{Graph: w.Graph, origin: w.origin, scope: s, begun: w.begun}
}

// begin counts manifests before any of them is asked for.
func (w *walk) begin(manifests int) error {
	if w.begun.Add(int64(manifests)) > bounds.Manifests {
		return bounds.TooBroad
	}
	return nil
}

// explore walks the manifest at a stop, with everything that it leads to.
func (w *walk) explore(ctx context.Context, v *Visit, at Stop) error {
	n, err := w.enter(ctx, at)
	if at.child && (errors.Is(err, errBlob) || err == nil && n.content != nil) {
		v.Leaves = []*Blob{w.leaf(w.origin, at.Desc, n)}
		return nil
	}
	if err != nil {
		return err
	}
	v.Node = n
	if !n.Known && at.depth > 0 {
		w.Notice(UnknownTypeNotice(w.origin.Repository()+"@"+n.Digest.String(), n.MediaType))
	}
	if err := w.layersElsewhere(ctx, v); err != nil {
		return err
	}
	children := w.scope.children(n)
	if v.Sparse = len(children) < len(n.Children); v.Sparse && len(children) == 0 && at.depth == 0 {
		return &engine.PlatformError{Reference: w.origin.Repository() + "@" + at.Desc.Digest.String(), Wanted: w.scope.Platforms, Have: PlatformsIn(n.Children)}
	}
	if err := w.begin(len(children)); err != nil {
		return walkError(w.origin, at.Desc, err)
	}
	return w.descend(ctx, v, at, children)
}

// enter reads the manifest at a stop, unless the walk went beyond a limit before it.
func (w *walk) enter(ctx context.Context, at Stop) (*Node, error) {
	if at.depth > bounds.Depth {
		return nil, walkError(w.origin, at.Desc, bounds.TooDeep)
	}
	if err := w.begin(0); err != nil { // some other branch went beyond it
		return nil, walkError(w.origin, at.Desc, err)
	}
	return w.node(ctx, w.origin, at)
}

// descend walks side by side the children of v that are selected, its subject and what
// refers to it.
func (w *walk) descend(ctx context.Context, v *Visit, at Stop, children []ocispec.Descriptor) error {
	below := make([]*Visit, len(children))
	// No group context: a child may be shared with an artifact that can be had,
	// and must not be given up because its sibling cannot.
	var group errgroup.Group
	group.SetLimit(abreast)
	for i, child := range children {
		group.Go(func() (err error) {
			below[i], err = w.visit(ctx, v, childStop(child, at.depth+1))
			return err
		})
	}
	if v.Node.Subject != at.of && v.Node.leads != nil && w.scope.follows(v.Node.Subject) {
		group.Go(func() (err error) {
			v.subject, err = w.subject(ctx, v, at.depth+1)
			return err
		})
	}
	var unlisted, unattached error // why some referrers, or what is attached by tags, cannot be had
	lost := 0
	if w.scope.Referrers {
		group.Go(func() error {
			v.Attached, lost, unattached = w.attachments(ctx, v, at.depth)
			return nil
		})
		v.Referrers, v.Lost, unlisted = w.Referrers(ctx, v, at.depth)
	}
	err := group.Wait()
	v.Lost += lost
	v.Missing = cmp.Or(unlisted, unattached)
	if err != nil {
		return err
	}
	v.adopt(below)
	return nil
}

// UnknownTypeNotice says of what a manifest of an unknown type points at that it stays behind.
func UnknownTypeNotice(name, mediaType string) string {
	return fmt.Sprintf("%s has the unknown media type %q: copied as it is, without the content that it may reference", name, mediaType)
}

// layersElsewhere takes those of v's layers along that no registry has to have and this
// one has. Their URLs are not asked: the runtime of the image may do so.
func (g *Graph) layersElsewhere(ctx context.Context, v *Visit) error {
	for _, d := range v.Node.elsewhere {
		has, err := v.Origin.HasBlob(ctx, d.OCI())
		switch {
		case err != nil:
			return err
		case has:
			v.Leaves = append(v.Leaves, g.Blob(d.OCI(), v.Origin))
		case !OnDisk(v.Origin):
			g.tellLeftOut(v, d)
		}
	}
	return nil
}

// tellLeftOut says once of a layer that it stays behind.
func (g *Graph) tellLeftOut(v *Visit, layer Descriptor) {
	g.mu.Lock()
	told := g.leftOut[layer.Digest]
	g.leftOut[layer.Digest] = true
	g.mu.Unlock()
	if !told {
		g.Notice(fmt.Sprintf("%s@%s: the registry does not have the non-distributable layer %s; skipped", v.Origin.Repository(), v.Node.Digest, layer.Digest))
	}
}

// leaf returns the blob that an index names in the place of a manifest. What came as a
// manifest all the same need not be asked for again.
func (g *Graph) leaf(o Origin, desc ocispec.Descriptor, n *Node) *Blob {
	if n != nil && !OnDisk(o) {
		o = &inline{Origin: o, data: n.content}
	}
	return g.Blob(desc, o)
}

// adopt takes what an index names: manifests and blobs.
func (v *Visit) adopt(below []*Visit) {
	for _, w := range below {
		if w.isBlob() {
			v.Leaves = append(v.Leaves, w.Leaves...)
		}
	}
	v.children = slices.DeleteFunc(below, (*Visit).isBlob)
}

func walkError(o Origin, desc ocispec.Descriptor, err error) error {
	return &engine.ArtifactError{Reference: o.Repository() + "@" + desc.Digest.String(), Op: "walk", Err: err}
}

// Referrers walks what refers to v. One that cannot be had is an error beside
// the others, not instead of them; lost counts those.
func (w *walk) Referrers(ctx context.Context, v *Visit, depth int) (visits []*Visit, lost int, err error) {
	reading, done := w.lane.Begin(ctx)
	listed, err := v.Origin.Referrers(reading, v.Node.OCI())
	done()
	if err == nil {
		err = w.begin(len(listed))
	}
	if err != nil {
		return nil, 0, err
	}
	// Registries list them in any order; a bundle must not depend on it.
	slices.SortFunc(listed, func(a, b ocispec.Descriptor) int { return cmp.Compare(a.Digest, b.Digest) })
	listed = slices.CompactFunc(listed, func(a, b ocispec.Descriptor) bool { return a.Digest == b.Digest })

	visits = make([]*Visit, len(listed))
	errs := make([]error, len(listed))
	var group errgroup.Group
	group.SetLimit(abreast)
	for i, desc := range listed {
		group.Go(func() error {
			visits[i], errs[i] = w.referrer(ctx, v, desc, depth+1)
			return nil
		})
	}
	_ = group.Wait() // its functions never fail: errs has them
	visits = slices.DeleteFunc(visits, func(v *Visit) bool { return v == nil })
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
func (w *walk) referrer(ctx context.Context, v *Visit, desc ocispec.Descriptor, depth int) (*Visit, error) {
	s, n := w.scope, v.Node
	if desc.ArtifactType != "" && !s.wants(desc.ArtifactType) || !s.pinned(desc.Digest) {
		return nil, nil
	}
	r, err := w.node(ctx, w.origin, Stop{Desc: desc})
	if err != nil {
		return nil, err
	}
	if r.Subject != n.Digest {
		w.Notice(fmt.Sprintf("%s@%s is listed as a referrer of %s but does not refer to it; skipped", w.origin.Repository(), desc.Digest, n.Digest))
		return nil, nil
	}
	if !s.wants(r.kind) {
		return nil, nil
	}
	found, err := w.within(s.forReferrers()).visit(ctx, v, Stop{Desc: desc, depth: depth, of: n.Digest})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// subject walks what v refers to: a signature that has a tag of its own is worth
// little without what it signs. nil: it is not there, and need not be
// (distribution-spec, "Pushing Manifests with Subject"), unless a lock pins it.
func (w *walk) subject(ctx context.Context, v *Visit, depth int) (*Visit, error) {
	if err := w.begin(1); err != nil {
		return nil, err
	}
	at := Stop{Desc: v.Node.leads.OCI(), depth: depth}
	_, err := w.node(ctx, w.origin, at)
	if absent := errors.Is(err, errdef.ErrNotFound) || errors.Is(err, fs.ErrNotExist); absent && !w.scope.locked {
		if !OnDisk(w.origin) {
			w.Notice(fmt.Sprintf("%s@%s refers to %s, which does not exist", w.origin.Repository(), v.Node.Digest, v.Node.Subject))
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := w.within(w.scope.forSubject()).visit(ctx, v, at)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// attachments walks what cosign attached to v by tags. lost counts those that
// cannot be had.
func (w *walk) attachments(ctx context.Context, v *Visit, depth int) (all []attachment, lost int, err error) {
	refs, err := w.origin.attached(ctx, v.Node.Digest, w.scope.asksTags)
	if err != nil {
		return nil, 0, err
	}
	for _, ref := range refs {
		found, failure := w.attachment(ctx, v, ref, depth+1)
		switch {
		case failure != nil:
			lost++
			err = cmp.Or(err, failure)
		case found != nil:
			all = append(all, attachment{ref.EntryName(), found})
		}
	}
	return all, lost, err
}

// attachment walks what stands under one of cosign's tags, nil if it is not
// selected. It has no artifact type: the media types of its layers say what it is.
func (w *walk) attachment(ctx context.Context, v *Visit, ref config.Reference, depth int) (*Visit, error) {
	s := w.scope
	desc, data, err := w.find(ctx, w.origin, ref)
	if err != nil || !s.pinned(desc.Digest) {
		return nil, err
	}
	n, err := w.node(ctx, w.origin, Stop{Desc: desc, data: data})
	if err != nil {
		return nil, err
	}
	wanted := slices.ContainsFunc(n.Blobs, func(b *Blob) bool { return s.wants(n.typeOf(b)) })
	if !wanted && !s.wants(n.kind) {
		return nil, nil
	}
	found, err := w.within(s.forReferrers()).visit(ctx, v, Stop{Desc: desc, data: data, depth: depth})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// abreast bounds how many children of one manifest, or referrers, are walked at a time: an
// index of 10,000 would have as many stacks of goroutines. What is walked may wait for
// what others have begun to walk, never for what has not begun.
const abreast = 64
