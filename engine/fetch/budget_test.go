package fetch

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// For any options, the budget without the reserve has room for every piece.
func TestSizesFit(t *testing.T) {
	steps := []int64{0, 1, 2, 3, 5, 64, 1000, 4 << 10, 64 << 10, 100_000, 1 << 20, 1<<20 + 1, 1 << 30}
	for _, budget := range steps {
		for _, window := range steps {
			for _, large := range steps {
				for _, chunk := range steps {
					checkSizes(t, Options{Budget: budget, Window: window, Large: large, Chunk: int(chunk)})
				}
			}
		}
	}
}

func checkSizes(t *testing.T, o Options) {
	t.Helper()
	s := o.sizes()
	rest := s.budget - s.reserve()
	switch {
	case s.window < 1 || s.chunk < 1 || s.ahead < 1 || s.large < 0:
		t.Fatalf("%+v: %+v", o, s)
	case o.Budget > 1 && s.budget > o.Budget:
		t.Fatalf("%+v: budget %d", o, s.budget)
	case s.part(s.window) > rest:
		t.Fatalf("%+v: a window does not fit: %+v", o, s)
	case s.large > 0 && s.whole(s.large) > rest, s.chunk > rest:
		t.Fatalf("%+v: a body does not fit: %+v", o, s)
	}
}

func TestDefaults(t *testing.T) {
	want := sizes{budget: 128 << 20, window: 16 << 20, large: 32 << 20, chunk: 64 << 10, ahead: 1024}
	if got := (Options{}).sizes(); got != want {
		t.Fatalf("%+v; want %+v", got, want)
	}
	if got := want.whole(1); got != 64<<10 {
		t.Fatalf("a tiny body is charged %d", got)
	}
}

// A small request does not overtake a large one.
func TestGrantedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(Options{Budget: 100})
		held, _ := b.acquire(t.Context(), 60)
		var order []int64
		done := make(chan struct{})
		for _, n := range []int64{80, 10, 20} {
			go func() {
				b.acquire(t.Context(), n)
				b.mu.Lock()
				order = append(order, n)
				b.mu.Unlock()
				done <- struct{}{}
			}()
			synctest.Wait()
		}
		if len(order) != 0 {
			t.Fatalf("granted: %v", order)
		}
		b.release(held)
		<-done
		<-done
		synctest.Wait()
		if b.free != 10 || b.waiting.Len() != 1 {
			t.Fatalf("free: %d, waiting: %d", b.free, b.waiting.Len())
		}
		b.release(80)
		<-done
		if order[2] != 20 {
			t.Fatalf("granted: %v", order)
		}
	})
}

// A request that is withdrawn does not block the ones behind it.
func TestWithdraw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(Options{Budget: 100})
		b.acquire(t.Context(), 60)
		ctx, cancel := context.WithCancel(t.Context())
		large, behind := make(chan error), make(chan error)
		go func() { _, err := b.acquire(ctx, 80); large <- err }()
		synctest.Wait()
		go func() { _, err := b.acquire(t.Context(), 30); behind <- err }()
		synctest.Wait()
		cancel()
		if err := <-large; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := <-behind; err != nil || b.free != 10 {
			t.Fatal(err, b.free)
		}
	})
}

// A request that is granted while it is withdrawn gives all its memory back.
func TestWithdrawGranted(t *testing.T) {
	b := NewBudget(Options{Budget: 100})
	b.acquire(t.Context(), 100)
	w := &request{n: 50, granted: make(chan struct{})}
	e := b.waiting.PushBack(w)
	b.release(100)
	b.withdraw(e)
	if b.free != 100 || b.waiting.Len() != 0 {
		t.Fatalf("free: %d, waiting: %d", b.free, b.waiting.Len())
	}
}
