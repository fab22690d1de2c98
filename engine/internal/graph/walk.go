package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// Walk walks the graph below desc as o has it and s selects it. data is the
// manifest where the caller has it already. It returns when all of it is known.
func (g *Graph) Walk(ctx context.Context, o origin.Origin, s *scope.Scope, desc ocispec.Descriptor, data []byte) (*Visit, error) {
	w := &walk{Graph: g, origin: o, scope: s, begun: new(atomic.Int64)}
	v, err := w.visit(ctx, nil, rootStop(desc, 0).with(data))
	if err != nil {
		return v, err
	}
	g.mu.Lock()
	circles := g.circles
	g.mu.Unlock()
	if circles {
		if err := g.settled(ctx, v); err != nil {
			return &Visit{Origin: o, Err: err}, err
		}
	}
	return v, nil
}

// walk goes through the graph of one artifact, as one origin has it and one scope
// selects it.
type walk struct {
	*Graph
	origin origin.Origin
	scope  *scope.Scope
	begun  *atomic.Int64 // manifests of the artifact, whatever their scope
}

// within returns the same walk where another scope selects.
func (w *walk) within(s *scope.Scope) *walk {
	return &walk{Graph: w.Graph, origin: w.origin, scope: s, begun: w.begun}
}

// begin counts manifests before any of them is asked for.
func (w *walk) begin(manifests int) error {
	if w.begun.Add(int64(manifests)) > bounds.Manifests {
		return bounds.TooBroad
	}
	return nil
}

// visit walks one manifest and the graph below it, for another visit or, if by is nil, for a
// root. Children and referrers lead in opposite directions, and a tag
// of cosign's anywhere, so that a graph may run in a circle: the visit that would
// then wait for itself gets one that is not done.
func (w *walk) visit(ctx context.Context, by *Visit, at stop) (*Visit, error) {
	key := visitKey{origin: w.origin, nodeKey: nodeKey{at.Digest, at.Size, content.Intern(at.MediaType)}, scope: w.scope.Key, led: at.of != ""}
	v, err := w.visitOnce(ctx, by, at, key)
	if err == nil && !at.isChild() && v.isBlob() {
		key.alone = true
		v, err = w.visitOnce(ctx, by, at, key)
	}
	return v, err
}

func (w *walk) visitOnce(ctx context.Context, by *Visit, at stop, key visitKey) (*Visit, error) {
	w.mu.Lock()
	v, met := w.visits[key]
	if !met {
		v = &Visit{Origin: w.origin, done: make(chan struct{})}
		w.visits[key] = v
	}
	if met && by != nil && v.waitsFor(by, make(map[*Visit]bool)) {
		w.circles = true
		w.mu.Unlock()
		return v, nil
	}
	if by != nil {
		by.awaits = append(by.awaits, v)
	}
	done := v.done
	w.mu.Unlock()

	if !met {
		v.Err = w.explore(ctx, v, at)
		w.mu.Lock()
		v.awaits = nil
		w.mu.Unlock()
		w.end(&v.done)
		return v, v.Err
	}
	select {
	case <-done:
		return v, v.Err
	case <-ctx.Done():
		return v, context.Cause(ctx)
	}
}

// settled waits for all that v leads to, and returns the first error of it.
func (g *Graph) settled(ctx context.Context, v *Visit) error {
	seen := map[*Visit]bool{v: true}
	for queue := []*Visit{v}; len(queue) > 0; queue = queue[1:] {
		g.mu.Lock()
		done := queue[0].done
		g.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := queue[0].Err; err != nil {
			return err
		}
		for _, next := range queue[0].next() {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// Children reads one manifest, and lists its children that a scope selects.
func (g *Graph) Children(ctx context.Context, o origin.Origin, s *scope.Scope, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	n, err := g.node(ctx, o, rootStop(desc, 0))
	if err != nil {
		return nil, err
	}
	return s.Children(n.Children), nil
}

// explore walks the manifest at a stop, with everything that it leads to.
func (w *walk) explore(ctx context.Context, v *Visit, at stop) error {
	n, err := w.enter(ctx, at)
	if at.isChild() && (errors.Is(err, errBlob) || err == nil && n.content != nil) {
		v.Leaves = []*Blob{w.leaf(w.origin, at.Descriptor, n)}
		return nil
	}
	if err != nil {
		return err
	}
	v.Node = n
	if !n.Known && at.Depth > 0 {
		w.Notice(UnknownTypeNotice(w.origin.Repository()+"@"+n.Digest.String(), n.MediaType))
	}
	if err := w.layersElsewhere(ctx, v); err != nil {
		return err
	}
	children := w.scope.Children(n.Children)
	if v.Sparse = len(children) < len(n.Children); v.Sparse && len(children) == 0 && at.Depth == 0 {
		return &engine.PlatformError{Reference: w.origin.Repository() + "@" + at.Digest.String(), Wanted: w.scope.Platforms, Have: scope.PlatformsIn(n.Children)}
	}
	if err := w.begin(len(children)); err != nil {
		return walkError(w.origin, at.Descriptor, err)
	}
	return w.descend(ctx, v, at, children)
}

// enter reads the manifest at a stop, unless the walk went beyond a limit before it.
func (w *walk) enter(ctx context.Context, at stop) (*Node, error) {
	if at.Depth > bounds.Depth {
		return nil, walkError(w.origin, at.Descriptor, bounds.TooDeep)
	}
	if err := w.begin(0); err != nil { // some other branch went beyond it
		return nil, walkError(w.origin, at.Descriptor, err)
	}
	if n := w.recorded(w.scope, at); n != nil {
		return n, nil
	}
	return w.node(ctx, w.origin, at)
}

// descend walks the selected children of v, its subject and its referrers side by side.
func (w *walk) descend(ctx context.Context, v *Visit, at stop, children []ocispec.Descriptor) error {
	below := make([]*Visit, len(children))
	inside := w.within(w.scope.ForChildren())
	whole := w.wholeChildren(at, v.Node)
	// No group context: a child may be shared with an artifact that can be had,
	// and must not be given up because its sibling cannot.
	var group errgroup.Group
	group.SetLimit(abreast)
	for i, child := range children {
		group.Go(func() (err error) {
			stop := childStop(child, at.Depth+1)
			stop.whole = whole(child)
			below[i], err = inside.visit(ctx, v, stop)
			return err
		})
	}
	if v.Node.Subject != at.of && v.Node.leads != nil && w.scope.Follows(v.Node.Subject) {
		group.Go(func() (err error) {
			v.subject, err = w.subject(ctx, v, at.Depth+1)
			return err
		})
	}
	var unlisted, unattached error // why some referrers, or some of cosign's attachments, failed
	lost := 0
	if w.scope.Policy != nil {
		v.trial = new(trial)
	}
	if w.scope.Seeks() {
		group.Go(func() error {
			v.Attached, lost, unattached = w.attachments(ctx, v, at.Depth)
			return nil
		})
		v.Referrers, v.Lost, unlisted = w.referrers(ctx, v, at.Depth)
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

// UnknownTypeNotice returns the notice that a manifest of an unknown type is copied alone.
func UnknownTypeNotice(name, mediaType string) string {
	return fmt.Sprintf("%s has the unknown media type %q: copied as it is, without the content that it may reference", name, mediaType)
}

func walkError(o origin.Origin, desc ocispec.Descriptor, err error) error {
	return &engine.ArtifactError{Reference: o.Repository() + "@" + desc.Digest.String(), Op: "walk", Err: err}
}

// abreast bounds how many children of one manifest, or referrers, are walked at a time: an
// index of 10,000 would have as many stacks of goroutines. A walk may wait for another that
// has begun, never for one that has not.
const abreast = 64
