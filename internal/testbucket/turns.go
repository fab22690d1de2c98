package testbucket

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
)

// longest is the largest number of turns for which a request is held back: others do a lot of
// work meanwhile.
const longest = 200

// Turns lets the requests of some actors through one at a time, in a random order. The next
// one is chosen when every actor waits for its turn, so that a seed gives the same order again,
// whatever the speed of the machine. An actor must not send two requests side by side.
type Turns struct {
	rand   *rand.Rand
	actors []*Actor

	mu      sync.Mutex // guards what follows
	arrived *sync.Cond
	given   int // turns
}

// Actor is a process that meets others at the server.
type Actor struct {
	turns *Turns

	// Guarded by turns.mu:
	held []*turn
	left bool
}

// turn is a request or a pause that is held.
type turn struct {
	what  string
	drawn bool          // after is known
	after int           // as many turns were given
	come  chan struct{} // closed when its turn comes
	done  chan struct{} // closed when it was answered
}

// NewTurns returns turns in the order of a seed, for some actors.
func NewTurns(seed uint64, actors int) *Turns {
	t := &Turns{rand: rand.New(rand.NewPCG(seed, 0))}
	for range actors {
		t.actors = append(t.actors, &Actor{turns: t})
	}
	t.arrived = sync.NewCond(&t.mu)
	return t
}

// Actor returns the i-th actor.
func (t *Turns) Actor(i int) *Actor { return t.actors[i] }

// Hold is for [Server.Entrance].
func (a *Actor) Hold(c Call) *Fault {
	return &Fault{func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		defer a.take(c.Kind + " " + c.Key)()
		next.ServeHTTP(w, req)
	}}
}

// Pause takes the place of a pause between two requests.
func (a *Actor) Pause(ctx context.Context) error {
	a.take("pause")()
	return context.Cause(ctx)
}

// Leave says that the actor sends no more requests.
func (a *Actor) Leave() {
	a.turns.mu.Lock()
	defer a.turns.mu.Unlock()
	a.left = true
	a.turns.arrived.Signal()
}

// take waits for a turn, and returns the function that ends it.
func (a *Actor) take(what string) (end func()) {
	mine := &turn{what: what, come: make(chan struct{}), done: make(chan struct{})}
	a.turns.mu.Lock()
	a.held = append(a.held, mine)
	a.turns.arrived.Signal()
	a.turns.mu.Unlock()
	<-mine.come
	return func() { close(mine.done) }
}

// Run gives turns until all actors have left. When one has ended and before the next begins,
// it calls after with the actor and its request.
func (t *Turns) Run(after func(actor int, what string)) {
	for {
		i, next := t.choose()
		if next == nil {
			return
		}
		close(next.come)
		<-next.done
		after(i, next.what)
	}
}

// choose waits for all actors, and chooses one; nil when all have left. If all are held back,
// the first goes on.
func (t *Turns) choose() (actor int, next *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for !t.allWait() {
		t.arrived.Wait()
	}
	var ready []int
	first := -1
	for i, a := range t.actors {
		if a.left {
			continue
		}
		h := a.held[0]
		t.draw(h)
		if h.after <= t.given {
			ready = append(ready, i)
		}
		if first < 0 || h.after < t.actors[first].held[0].after {
			first = i
		}
	}
	if first < 0 {
		return 0, nil
	}
	if len(ready) > 0 {
		first = ready[t.rand.IntN(len(ready))]
	}
	a := t.actors[first]
	next, a.held = a.held[0], a.held[1:]
	t.given++
	return first, next
}

// allWait reports whether each actor waits for its turn, or has left.
func (t *Turns) allWait() bool {
	for _, a := range t.actors {
		if !a.left && len(a.held) == 0 {
			return false
		}
	}
	return true
}

// draw says how long a turn is held back: one in ten, for long.
func (t *Turns) draw(h *turn) {
	if h.drawn {
		return
	}
	h.drawn = true
	if h.after = t.given; t.rand.IntN(10) == 0 {
		h.after += t.rand.IntN(longest)
	}
}
