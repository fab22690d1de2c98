package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store"
)

// node is one manifest of the run, whatever number of artifacts, repositories
// or registries share it.
type node struct {
	descriptor
	artifactType string // as the manifest says
	kind         string // as a list of referrers says
	subject      digest.Digest
	children     []ocispec.Descriptor // manifests, of an index
	blobs        []*blob
	data         []byte // until it is stored
}

// blob is one leaf of the run.
type blob struct {
	descriptor
	origins []origin    // where it can be had, the first one found first; guarded by graph.mu
	waiting []*artifact // whom it keeps from being whole; guarded by the directory's mutex
	state   blobState   // guarded like waiting
	err     error
}

type blobState uint8

const (
	blobUnknown blobState = iota
	blobQueued
	blobDone // err tells how
)

// visit is one manifest as one repository has it: the same manifest may have
// other referrers elsewhere.
type visit struct {
	origin    origin
	node      *node
	children  []*visit
	referrers []*visit
	attached  []attachment
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
	digest digest.Digest
	scope  string
}

// graph is all manifests and blobs that a run has met. Each manifest is fetched
// once, and each repository is asked once for the referrers of each.
type graph struct {
	root   func(context.Context, origin, config.Reference) (ocispec.Descriptor, []byte, error)
	known  func(ocispec.Descriptor) []byte                // a manifest that is stored already, or nil
	store  func(ocispec.Descriptor, []byte) (bool, error) // takes a manifest at once; false: keep its bytes
	notice func(string)
	moved  func(n int64) // manifest bytes that came over the network
	first  *local        // asked for a blob before all others; may be nil

	mu      sync.Mutex // guards what follows
	visits  map[visitKey]*visit
	nodes   map[digest.Digest]*pendingNode
	blobs   map[blobKey]*blob
	circles bool // some visit was done before one that it leads to
}

type pendingNode struct {
	*node
	err  error
	done chan struct{} // guarded by graph.mu
}

// blobKey is what makes two leaves one, whatever media types they are given.
type blobKey struct {
	digest digest.Digest
	size   int64
}

// closed takes the place of a channel that was closed: of 100,000 artifacts each
// would keep its own.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// walked lets go of what finds manifests, once no more will be looked for.
func (g *graph) walked() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.visits, g.nodes = nil, nil
}

// end closes a channel that is guarded by mu, and shares what is left of it.
func (g *graph) end(done *chan struct{}) {
	g.mu.Lock()
	c := *done
	*done = closed
	g.mu.Unlock()
	close(c)
}

func newGraph() *graph {
	return &graph{
		root: func(ctx context.Context, o origin, ref config.Reference) (ocispec.Descriptor, []byte, error) {
			return o.open(ctx, ref)
		},
		known:  func(ocispec.Descriptor) []byte { return nil },
		store:  func(ocispec.Descriptor, []byte) (bool, error) { return false, nil },
		notice: func(string) {},
		moved:  func(int64) {},
		visits: make(map[visitKey]*visit),
		nodes:  make(map[digest.Digest]*pendingNode),
		blobs:  make(map[blobKey]*blob),
	}
}

// tour walks the graph below desc as o has it and s selects it. data is the
// manifest where the caller has it already. It returns when all of it is known.
func (g *graph) tour(ctx context.Context, o origin, s *scope, desc ocispec.Descriptor, data []byte) (*visit, error) {
	v, err := g.visit(ctx, nil, o, s, desc, data, 0)
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
func (g *graph) visit(ctx context.Context, by *visit, o origin, s *scope, desc ocispec.Descriptor, data []byte, depth int) (*visit, error) {
	key := visitKey{o, desc.Digest, s.key}
	g.mu.Lock()
	v, met := g.visits[key]
	if !met {
		v = &visit{origin: o, done: make(chan struct{})}
		g.visits[key] = v
	}
	if met && by != nil && v.waitsFor(by, make(map[*visit]bool)) {
		g.circles = true
		g.mu.Unlock()
		return v, nil
	}
	if by != nil {
		by.awaits = append(by.awaits, v)
	}
	done := v.done
	g.mu.Unlock()

	if !met {
		v.err = g.explore(ctx, v, o, s, desc, data, depth)
		g.mu.Lock()
		v.awaits = nil
		g.mu.Unlock()
		g.end(&v.done)
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

// next lists what v leads to: its children, then what refers to it.
func (v *visit) next() []*visit {
	all := slices.Concat(v.children, v.referrers)
	for _, a := range v.attached {
		all = append(all, a.visit)
	}
	return all
}

func (g *graph) explore(ctx context.Context, v *visit, o origin, s *scope, desc ocispec.Descriptor, data []byte, depth int) error {
	if depth == 0 {
		ctx = walking(ctx)
	}
	if depth > maxDepth {
		return walkError(o, desc, &LimitError{What: "levels of manifests:", Most: maxDepth})
	}
	if err := steps(ctx, 0); err != nil { // some other branch went beyond it
		return walkError(o, desc, err)
	}
	n, err := g.node(ctx, o, desc, data)
	if err != nil {
		return err
	}
	v.node = n
	children := s.children(n)
	if v.sparse = len(children) < len(n.children); v.sparse && len(children) == 0 && depth == 0 {
		return &PlatformError{Reference: o.repository() + "@" + desc.Digest.String(), Wanted: s.platforms, Children: n.children}
	}
	if err := steps(ctx, len(children)); err != nil {
		return walkError(o, desc, err)
	}
	v.children = make([]*visit, len(children))
	// No group context: a child may be shared with an artifact that can be had,
	// and must not be given up because its sibling cannot.
	var group errgroup.Group
	for i, child := range children {
		group.Go(func() (err error) {
			v.children[i], err = g.visit(ctx, v, o, s, child, nil, depth+1)
			return err
		})
	}
	if s.referrers {
		var lost int
		group.Go(func() error {
			v.attached, lost, v.missing = g.attachments(ctx, v, s, depth)
			return nil
		})
		var err error
		v.referrers, v.lost, err = g.referrers(ctx, v, s, depth)
		defer func() {
			v.lost += lost
			v.missing = firstError([]error{err, v.missing})
		}()
	}
	return group.Wait()
}

func walkError(o origin, desc ocispec.Descriptor, err error) error {
	return &ArtifactError{Reference: o.repository() + "@" + desc.Digest.String(), Op: "walk", Err: err}
}

// referrers walks what refers to v. One that cannot be had is an error beside
// the others, not instead of them; lost counts those.
func (g *graph) referrers(ctx context.Context, v *visit, s *scope, depth int) (visits []*visit, lost int, err error) {
	listed, err := v.origin.referrers(ctx, v.node.oci())
	if err == nil {
		err = steps(ctx, len(listed))
	}
	if err != nil {
		return nil, 0, err
	}
	// Registries list them in any order; a bundle must not depend on it.
	slices.SortFunc(listed, func(a, b ocispec.Descriptor) int { return compareDigests(a.Digest, b.Digest) })
	listed = slices.CompactFunc(listed, func(a, b ocispec.Descriptor) bool { return a.Digest == b.Digest })

	visits = make([]*visit, len(listed))
	errs := make([]error, len(listed))
	var group errgroup.Group
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
	return visits, lost, firstError(errs)
}

// referrer walks one referrer, nil if it turns out not to refer to v at all: a
// list under the referrers tag may be stale, and a manifest alone says what its
// subject is.
func (g *graph) referrer(ctx context.Context, v *visit, s *scope, desc ocispec.Descriptor, depth int) (*visit, error) {
	o, n := v.origin, v.node
	if desc.ArtifactType != "" && !s.wants(desc.ArtifactType) || !s.pinned(desc.Digest) {
		return nil, nil
	}
	r, err := g.node(ctx, o, desc, nil)
	if err != nil {
		return nil, err
	}
	if r.subject != n.digest {
		g.notice(fmt.Sprintf("%s@%s is listed as a referrer of %s and is none: left out", o.repository(), desc.Digest, n.digest))
		return nil, nil
	}
	if !s.wants(r.kind) {
		return nil, nil
	}
	w, err := g.visit(ctx, v, o, s.forReferrers(), desc, nil, depth)
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
			err = firstError([]error{err, failure})
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
	n, err := g.node(ctx, o, desc, data)
	if err != nil {
		return nil, err
	}
	wanted := slices.ContainsFunc(n.blobs, func(b *blob) bool { return s.wants(b.mediaType) })
	if !wanted && !s.wants(n.kind) {
		return nil, nil
	}
	w, err := g.visit(ctx, v, o, s.forReferrers(), desc, data, depth)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func compareDigests(a, b digest.Digest) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// node fetches and reads a manifest once. A failure is not remembered: another
// repository may have it.
func (g *graph) node(ctx context.Context, o origin, desc ocispec.Descriptor, data []byte) (*node, error) {
	g.mu.Lock()
	p, met := g.nodes[desc.Digest]
	if !met {
		p = &pendingNode{done: make(chan struct{})}
		g.nodes[desc.Digest] = p
	}
	done := p.done
	g.mu.Unlock()

	if met {
		select {
		case <-done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if p.err != nil {
			return g.node(ctx, o, desc, data)
		}
		g.alsoAt(p.node, o)
		return p.node, nil
	}
	p.node, p.err = g.load(ctx, o, desc, data)
	if p.err != nil {
		g.mu.Lock()
		delete(g.nodes, desc.Digest)
		g.mu.Unlock()
	}
	g.end(&p.done)
	return p.node, p.err
}

func (g *graph) load(ctx context.Context, o origin, desc ocispec.Descriptor, data []byte) (*node, error) {
	data, err := g.bytes(ctx, o, desc, data)
	if err != nil {
		return nil, err
	}
	m, err := store.ParseManifest(desc, data)
	if err != nil {
		return nil, &ArtifactError{Reference: o.repository() + "@" + desc.Digest.String(), Op: "read", Err: err}
	}
	n := &node{descriptor: compact(desc), artifactType: shared(m.ArtifactType), kind: shared(m.Kind()), children: m.Manifests, data: data}
	if m.Subject != nil {
		n.subject = m.Subject.Digest
	}
	for _, b := range m.Leaves() {
		n.blobs = append(n.blobs, g.blob(b, o))
	}
	stored, err := g.store(desc, data)
	if err != nil {
		return nil, err
	}
	if stored {
		n.data = nil
	}
	return n, nil
}

func (g *graph) bytes(ctx context.Context, o origin, desc ocispec.Descriptor, data []byte) ([]byte, error) {
	if data == nil {
		if stored := g.known(desc); stored != nil {
			return stored, nil
		}
		var err error
		if data, err = o.manifest(ctx, desc); err != nil {
			return nil, err
		}
	}
	if !onDisk(o) {
		g.moved(int64(len(data)))
	}
	return data, nil
}

// blob returns the run's one record of a leaf, and notes that o has it.
func (g *graph) blob(desc ocispec.Descriptor, o origin) *blob {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := blobKey{desc.Digest, desc.Size}
	b := g.blobs[key]
	if b == nil {
		b = &blob{descriptor: compact(desc)}
		if g.first != nil && g.first.has(desc) {
			b.addOrigin(g.first)
		}
		g.blobs[key] = b
	}
	b.addOrigin(o)
	return b
}

func (g *graph) alsoAt(n *node, o origin) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range n.blobs {
		b.addOrigin(o)
	}
}

// addOrigin notes one more place. One on disk comes before those that have to be
// asked, whatever is found first.
func (b *blob) addOrigin(o origin) {
	if slices.Contains(b.origins, o) {
		return
	}
	if onDisk(o) {
		at := slices.IndexFunc(b.origins, func(o origin) bool { return !onDisk(o) })
		if at >= 0 {
			b.origins = slices.Insert(b.origins, at, o)
			return
		}
	}
	b.origins = append(b.origins, o)
}

// from returns where to ask for the blob at a given attempt, counted from 0.
func (g *graph) from(b *blob, attempt int) origin {
	g.mu.Lock()
	defer g.mu.Unlock()
	return b.origins[attempt%len(b.origins)]
}

// places counts where a blob can be had, as far as is known.
func (g *graph) places(b *blob) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(b.origins)
}

// isNear tells whether a blob lies in a layout on disk.
func (g *graph) isNear(b *blob) bool { return onDisk(g.from(b, 0)) }

// another tells whether asking again for a blob is worth while: where another
// place has it, or once more where the bytes were wrong.
func (g *graph) another(b *blob, attempt int, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return attempt+1 < len(b.origins) || attempt == 0 && isWrong(err)
}

// core calls fn for v and the manifests below it, each once, depth first, without
// what refers to them.
func (v *visit) core(fn func(*visit)) {
	v.each(make(map[*visit]bool), func(v *visit) []*visit { return v.children }, fn)
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

// whole tells why v and what is below it cannot be had, or nil. It is asked
// when no blob of it is under way any more.
func (v *visit) whole() error {
	var err error
	v.core(func(v *visit) {
		for _, b := range v.node.blobs {
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
	below := func(v *visit) []*visit { return v.children }
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
		missing = firstError([]error{missing, err})
	}
	look = func(v *visit) {
		missing = firstError([]error{missing, v.missing})
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
