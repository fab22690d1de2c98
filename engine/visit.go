package engine

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// visit is one manifest as one repository has it: the same manifest may have
// other referrers elsewhere.
type visit struct {
	origin    origin
	node      *node
	children  []*visit
	subject   *visit // what it refers to, unless that led here
	referrers []*visit
	attached  []attachment
	leaves    []*blob       // blobs that an index names, and layers that are there and need not be; of a visit without a node, what is a blob itself
	sparse    bool          // some children are left out
	lost      int           // referrers that are wanted and could not be had
	missing   error         // why some referrer could not be had
	err       error         // why the graph below could not be had
	done      chan struct{} // guarded by graph.mu; closed when all of it is known
	awaits    []*visit      // what it cannot be done before; guarded by graph.mu, nil once it is done
}

// attachment is what cosign keeps beside a manifest, under a tag that is made of
// the manifest's digest.
type attachment struct {
	name string // in index.json
	*visit
}

type visitKey struct {
	origin origin
	nodeKey
	scope string
	alone bool // no index names it: it is a manifest even where one would name a blob
	led   bool // its subject led here, and is not followed again
}

// tour walks the graph below desc as o has it and s selects it. data is the
// manifest where the caller has it already. It returns when all of it is known.
func (g *graph) tour(ctx context.Context, o origin, s *scope, desc ocispec.Descriptor, data []byte) (*visit, error) {
	w := &walk{graph: g, origin: o, scope: s, begun: new(atomic.Int64)}
	v, err := w.visit(ctx, nil, stop{desc: desc, data: data})
	if err != nil {
		return v, err
	}
	g.mu.Lock()
	circles := g.circles
	g.mu.Unlock()
	if circles {
		if err := g.settled(ctx, v); err != nil {
			return &visit{origin: o, err: err}, err
		}
	}
	return v, nil
}

// visit walks one manifest and what is below it, for the sake of another visit or,
// by nil, of a root. Children and referrers lead in opposite directions, and a tag
// of cosign's anywhere, so that a graph may run in a circle: the visit that would
// then wait for itself gets one that is not done.
func (w *walk) visit(ctx context.Context, by *visit, at stop) (*visit, error) {
	key := visitKey{origin: w.origin, nodeKey: nodeKey{at.desc.Digest, at.desc.Size, shared(at.desc.MediaType)}, scope: w.scope.key, led: at.of != ""}
	v, err := w.visitOnce(ctx, by, at, key)
	if err == nil && !at.child && v.isBlob() {
		key.alone = true
		v, err = w.visitOnce(ctx, by, at, key)
	}
	return v, err
}

func (w *walk) visitOnce(ctx context.Context, by *visit, at stop, key visitKey) (*visit, error) {
	w.mu.Lock()
	v, met := w.visits[key]
	if !met {
		v = &visit{origin: w.origin, done: make(chan struct{})}
		w.visits[key] = v
	}
	if met && by != nil && v.waitsFor(by, make(map[*visit]bool)) {
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
		v.err = w.explore(ctx, v, at)
		w.mu.Lock()
		v.awaits = nil
		w.mu.Unlock()
		w.end(&v.done)
		return v, v.err
	}
	select {
	case <-done:
		return v, v.err
	case <-ctx.Done():
		return v, context.Cause(ctx)
	}
}

// waitsFor tells whether v cannot be done before other is; graph.mu is held.
func (v *visit) waitsFor(other *visit, seen map[*visit]bool) bool {
	if v == other {
		return true
	}
	if seen[v] {
		return false
	}
	seen[v] = true
	return slices.ContainsFunc(v.awaits, func(w *visit) bool { return w.waitsFor(other, seen) })
}

// settled waits for all that v leads to, and returns why some of it could not be
// had.
func (g *graph) settled(ctx context.Context, v *visit) error {
	seen := map[*visit]bool{v: true}
	for queue := []*visit{v}; len(queue) > 0; queue = queue[1:] {
		g.mu.Lock()
		done := queue[0].done
		g.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := queue[0].err; err != nil {
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

// isBlob tells that an index names v and that it is no manifest.
func (v *visit) isBlob() bool { return v.node == nil && len(v.leaves) > 0 }

// blobs lists what v points at and what points at nothing itself.
func (v *visit) blobs() []*blob {
	if len(v.leaves) == 0 {
		return v.node.blobs
	}
	return slices.Concat(v.node.blobs, v.leaves)
}

// parts returns the manifest itself and its blobs.
func (v *visit) parts() []descriptor {
	parts := []descriptor{v.node.descriptor}
	for _, b := range v.blobs() {
		parts = append(parts, b.descriptor)
	}
	return parts
}

// below lists the manifests that v needs: its children, and what it refers to.
func (v *visit) below() []*visit {
	if v.subject == nil {
		return v.children
	}
	return append(slices.Clone(v.children), v.subject)
}

// next lists what v leads to: what it needs, then what refers to it.
func (v *visit) next() []*visit {
	all := slices.Concat(v.below(), v.referrers)
	for _, a := range v.attached {
		all = append(all, a.visit)
	}
	return all
}

// core calls fn for v and the manifests below it, each once, depth first, without
// what refers to them.
func (v *visit) core(fn func(*visit)) {
	v.each(make(map[*visit]bool), (*visit).below, fn)
}

// all calls fn for every manifest of the graph, each once, depth first: a manifest,
// its children, then what refers to it.
func (v *visit) all(fn func(*visit)) { v.each(make(map[*visit]bool), (*visit).next, fn) }

// each calls fn for what next leads to and seen has not yet. A graph of thirty
// indexes, each with the one below it twice, has a thousand million ways down.
func (v *visit) each(seen map[*visit]bool, next func(*visit) []*visit, fn func(*visit)) {
	if seen[v] {
		return
	}
	seen[v] = true
	fn(v)
	for _, w := range next(v) {
		w.each(seen, next, fn)
	}
}

// subjects lists what v and the manifests that hang on it refer to, as far as that
// comes along for their sake.
func (v *visit) subjects() []digest.Digest {
	var found []digest.Digest
	v.all(func(v *visit) {
		if v.subject != nil {
			found = append(found, v.subject.node.digest)
		}
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// whole tells why v and what is below it cannot be had, or nil. It is asked
// when no blob of it is under way any more.
func (v *visit) whole() error {
	var err error
	v.core(func(v *visit) {
		for _, b := range v.blobs() {
			if err == nil {
				err = b.err
			}
		}
	})
	return err
}

// isSparse tells whether children of v or of what is below it are left out.
func (v *visit) isSparse() bool {
	sparse := false
	v.core(func(v *visit) { sparse = sparse || v.sparse })
	return sparse
}

// referring calls fn for each referrer of v, of its children and of those
// referrers that is whole, with its name if it has one, and tells why one is
// missing, if any is.
func (v *visit) referring(fn func(r *visit, name string)) error {
	var missing error
	below := (*visit).below
	seen, followed := make(map[*visit]bool), make(map[attachment]bool)
	var look func(*visit)
	follow := func(r *visit, name string) {
		if followed[attachment{name, r}] {
			return
		}
		followed[attachment{name, r}] = true
		err := r.whole()
		if err == nil {
			fn(r, name)
			r.each(seen, below, look)
		}
		missing = cmp.Or(missing, err)
	}
	look = func(v *visit) {
		missing = cmp.Or(missing, v.missing)
		for _, r := range v.referrers {
			follow(r, "")
		}
		for _, a := range v.attached {
			follow(a.visit, a.name)
		}
	}
	v.each(seen, below, look)
	return missing
}
