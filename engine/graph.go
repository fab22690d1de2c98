package engine

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// graph is all manifests and blobs that a run has met. Each manifest is fetched
// once, and each repository is asked once for the referrers of each.
type graph struct {
	root   func(context.Context, origin, config.Reference) (ocispec.Descriptor, []byte, error)
	known  func(stop) (data []byte, blob bool)            // a manifest that is stored already; nil and false: it is not
	store  func(ocispec.Descriptor, []byte) (bool, error) // takes a manifest at once; false: keep its bytes
	notice func(string)
	moved  func(n int64) // manifest bytes that came over the network
	before *local        // what the output held, among those that are near; nil: it is a directory, or new
	near   []*local      // on disk, asked before any registry; complete before the first node
	lane   *bounds.Lane  // of the manifests that are read and decoded
	kept   atomic.Int64  // bytes of manifests that wait to be stored

	mu      sync.Mutex // guards what follows
	visits  map[visitKey]*visit
	nodes   map[nodeKey]*pendingNode
	blobs   map[digest.Digest]*blob
	circles bool                   // some visit was done before one that it leads to
	leftOut map[digest.Digest]bool // layers that are not there and need not be
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
		lane: bounds.NewLane(),
		root: func(ctx context.Context, o origin, ref config.Reference) (ocispec.Descriptor, []byte, error) {
			return o.open(ctx, ref)
		},
		known:   func(stop) ([]byte, bool) { return nil, false },
		store:   func(ocispec.Descriptor, []byte) (bool, error) { return false, nil },
		notice:  func(string) {},
		moved:   func(int64) {},
		visits:  make(map[visitKey]*visit),
		nodes:   make(map[nodeKey]*pendingNode),
		leftOut: make(map[digest.Digest]bool),
		blobs:   make(map[digest.Digest]*blob),
	}
}
