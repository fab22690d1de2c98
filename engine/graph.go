package engine

import (
	"context"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

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
