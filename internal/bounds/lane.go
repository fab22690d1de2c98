package bounds

import (
	"context"
	"runtime"
)

// large is the weight above which documents are read one at a time.
const large = 512 << 10

// Lane lets one large document at a time into memory: 32 manifests of 16 MiB, read
// concurrently and decoded, would take a gigabyte. Small ones pass.
//
// The holder of a lane must not ask a registry for anything: others wait for the lane
// with an open body, which takes a place in the registry's limit.
type Lane struct{ free chan struct{} }

// NewLane returns a free lane.
func NewLane() *Lane { return &Lane{free: make(chan struct{}, 1)} }

type laneKey struct{}

// pass is the state of one reader in a lane. It is for one goroutine.
type pass struct {
	lane  *Lane
	held  bool
	taken int64
}

// Begin returns a context for reading one document, and a function that ends it. In a
// context from Begin it does nothing.
func (l *Lane) Begin(ctx context.Context) (context.Context, func()) {
	if _, ok := ctx.Value(laneKey{}).(*pass); ok {
		return ctx, func() {}
	}
	p := &pass{lane: l}
	return context.WithValue(ctx, laneKey{}, p), p.leave
}

// Enter waits until a document with this weight may be in memory, in a context from
// Begin. It returns a *MemoryError if the document does not fit.
func Enter(ctx context.Context, weight int64) error {
	p, ok := ctx.Value(laneKey{}).(*pass)
	if !ok || weight <= large || weight <= p.taken {
		return nil
	}
	if !p.held {
		select {
		case p.lane.free <- struct{}{}:
			p.held = true
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := Take(weight - p.taken); err != nil {
		return err
	}
	p.taken = weight
	return nil
}

// EnterDocument is Enter for a document in memory.
func EnterDocument(ctx context.Context, document []byte) error {
	weight, err := Weight(document)
	if err != nil {
		return err
	}
	return Enter(ctx, weight)
}

// Leave lets the next document in. The caller must not keep the one that it read.
func Leave(ctx context.Context) {
	if p, ok := ctx.Value(laneKey{}).(*pass); ok {
		p.leave()
	}
}

// huge is the weight above which the garbage collector runs after a document: by itself
// it would leave several of them in memory, and gaps between them.
const huge = 2 << 20

// Collect frees the memory of a document of this weight after its last use.
func Collect(weight int64) {
	if weight > huge {
		runtime.GC()
	}
}

func (p *pass) leave() {
	Collect(p.taken)
	Give(p.taken)
	p.taken = 0
	if p.held {
		p.held = false
		<-p.lane.free
	}
}
