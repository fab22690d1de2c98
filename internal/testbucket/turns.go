package testbucket

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
)

// longest is the largest number of turns for which a request is held back: others do a lot of
// work meanwhile.
const longest = 200

// Turns lets requests through one at a time, in a random order: it holds each until its turn
// comes. Processes that run side by side so meet at any point of their work, as the seed says.
type Turns struct {
	mu      sync.Mutex // guards what follows
	rand    *rand.Rand
	arrived *sync.Cond
	held    []*turn
	given   int  // turns
	actors  int  // that send one request at a time, or more
	over    bool // all may go on
}

// turn is a request that is held.
type turn struct {
	after int           // as many turns were given
	come  chan struct{} // closed when its turn comes
	done  chan struct{} // closed when it was answered
}

// NewTurns returns turns in the order of a seed, for some actors.
func NewTurns(seed uint64, actors int) *Turns {
	t := &Turns{rand: rand.New(rand.NewPCG(seed, 0)), actors: actors}
	t.arrived = sync.NewCond(&t.mu)
	return t
}

// Hold is for [Server.Inject].
func (t *Turns) Hold(Call) *Fault {
	return &Fault{func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		defer t.take()()
		next.ServeHTTP(w, req)
	}}
}

// Pause takes the place of a pause between two requests.
func (t *Turns) Pause(ctx context.Context) error {
	t.take()()
	return context.Cause(ctx)
}

// take waits for a turn, and returns the function that ends it.
func (t *Turns) take() (end func()) {
	mine := &turn{come: make(chan struct{}), done: make(chan struct{})}
	t.mu.Lock()
	if t.over {
		t.mu.Unlock()
		return func() {}
	}
	if mine.after = t.given; t.rand.IntN(10) == 0 {
		mine.after += t.rand.IntN(longest)
	}
	t.held = append(t.held, mine)
	t.arrived.Signal()
	t.mu.Unlock()
	<-mine.come
	return func() { close(mine.done) }
}

// Run gives turns until Stop, and calls after when one has ended and before the next begins.
func (t *Turns) Run(after func()) {
	for next := t.choose(); next != nil; next = t.choose() {
		close(next.come)
		<-next.done
		after()
	}
}

// choose waits for a request that may go on and chooses one of them; nil after Stop. When all
// actors wait, the first that is held back goes on.
func (t *Turns) choose() *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		ready := slices.DeleteFunc(slices.Clone(t.held), func(h *turn) bool { return h.after > t.given })
		if len(ready) == 0 && len(t.held) > 0 && (t.over || len(t.held) >= t.actors) {
			ready = []*turn{slices.MinFunc(t.held, func(a, b *turn) int { return a.after - b.after })}
		}
		if len(ready) > 0 {
			next := ready[t.rand.IntN(len(ready))]
			t.held = slices.DeleteFunc(t.held, func(h *turn) bool { return h == next })
			t.given++
			return next
		}
		if t.over {
			return nil
		}
		t.arrived.Wait()
	}
}

// Leave says that one of the actors sends no more requests.
func (t *Turns) Leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.actors--
	t.arrived.Signal()
}

// Stop ends Run when no request is held any more.
func (t *Turns) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	t.arrived.Signal()
}
