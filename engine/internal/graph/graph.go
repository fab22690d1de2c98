// Package graph holds the manifests and blobs of a run, and walks from one to the next: children,
// referrers, subjects and the tags of cosign, as an origin has them and a scope selects them.
package graph

import (
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// Graph holds the manifests and blobs that a run has found. Each manifest is fetched once, and
// each repository is asked once for the referrers of each.
type Graph struct {
	Options
	lane       *bounds.Lane // of the manifests that are read and decoded
	taken      atomic.Int64 // bytes that the graph keeps, as bounds counts them
	kept       atomic.Int64 // bytes of manifests that wait to be stored
	signatures atomic.Int64 // bytes of signatures that are kept

	mu       sync.Mutex // guards what follows
	visits   map[visitKey]*Visit
	nodes    map[nodeKey]*pendingNode
	known    map[nodeKey]*Node // that were not read, see Recorder
	blobs    map[digest.Digest]*Blob
	numbered uint32                 // blobs that have a number
	circles  bool                   // some visit was done before one that it leads to
	leftOut  map[digest.Digest]bool // layers that are not there and need not be
}

// closed takes the place of a channel that was closed: of 100,000 artifacts each
// would keep its own.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Renewed returns an empty graph with the options of g, and frees the memory of g.
func (g *Graph) Renewed() *Graph {
	bounds.Give(g.taken.Load())
	o := g.Options
	o.Before = nil // New has added it to the near ones already
	return New(o)
}

// Seal frees the indexes of the graph, once no more manifests will be looked for.
func (g *Graph) Seal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.visits, g.nodes, g.known = nil, nil, nil
}

// end closes a channel that is guarded by mu, and puts the shared closed channel in its place.
func (g *Graph) end(done *chan struct{}) {
	g.mu.Lock()
	c := *done
	*done = closed
	g.mu.Unlock()
	close(c)
}

// Options connect a graph to the run around it. The zero value works.
type Options struct {
	Cache     Cache           // what the output holds; nil: nothing
	Notice    func(string)    // nil: notices are dropped
	Moved     func(int64)     // counts manifest bytes that came over the network; nil: they are not counted
	Near      []*origin.Local // layouts on disk, asked before any registry
	Signature engine.ReadBlob // reads the blobs of signatures; nil: they are read from their origins
	Before    *origin.Local   // the layout that the output replaces, the first of Near; nil: it replaces none
}

// New returns an empty graph.
func New(o Options) *Graph {
	if o.Cache == nil {
		o.Cache = NoCache{}
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Moved == nil {
		o.Moved = func(int64) {}
	}
	if o.Before != nil {
		o.Near = append([]*origin.Local{o.Before}, o.Near...)
	}
	return &Graph{
		Options: o,
		lane:    bounds.NewLane(),
		visits:  make(map[visitKey]*Visit),
		nodes:   make(map[nodeKey]*pendingNode),
		known:   make(map[nodeKey]*Node),
		leftOut: make(map[digest.Digest]bool),
		blobs:   make(map[digest.Digest]*Blob),
	}
}
