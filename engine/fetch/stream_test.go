package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
)

func windowsOf(t *testing.T, s *source, b *Budget, i int) ([]byte, error) {
	t.Helper()
	var out bytes.Buffer
	err := Windows(t.Context(), b, s.body(i), &out)
	return out.Bytes(), err
}

func checkWindows(t *testing.T, s *source, b *Budget, i int) {
	t.Helper()
	got, err := windowsOf(t, s, b, i)
	if err != nil || !bytes.Equal(got, s.bodies[i]) {
		t.Errorf("body %d: %d of %d bytes, or they differ: %v", i, len(got), len(s.bodies[i]), err)
	}
}

func TestWindows(t *testing.T) {
	for _, size := range []int64{0, 1, 8 << 10, 8<<10 + 1, 300 << 10} {
		synctest.Test(t, func(t *testing.T) {
			s, b := newSource(size), NewBudget(small)
			checkWindows(t, s, b, 0)
			checkClean(t, b, s)
		})
	}
}

// Several bodies, each with a writer of its own, in a memory that holds fewer
// windows than there are bodies.
func TestWindowsShareABudget(t *testing.T) {
	faults := map[string]func(*source, context.Context, ask, []byte) (io.Reader, error){
		"no fault": nil,
		"no range": (*source).noRange,
		"every window breaks once": func(_ *source, _ context.Context, a ask, data []byte) (io.Reader, error) {
			if a.attempt == 0 {
				return io.MultiReader(bytes.NewReader(data[:1]), readerFunc(func([]byte) (int, error) { return 0, errSource })), nil
			}
			return nil, nil
		},
		"no range from the middle on": func(s *source, ctx context.Context, a ask, data []byte) (io.Reader, error) {
			if a.off > int64(len(s.bodies[a.body]))/2 {
				return s.noRange(ctx, a, data)
			}
			return nil, nil
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			for _, budget := range []int64{1, 16 << 10, 64 << 10} {
				synctest.Test(t, func(t *testing.T) {
					size := min(200<<10, budget*300)
					s, b := newSource(sizesOf(10, size)...), NewBudget(Options{Budget: budget, Chunk: 1 << 10, Window: 8 << 10})
					s.window, s.limit = b.window, make(chan struct{}, 2)
					if fault != nil {
						s.fault = func(ctx context.Context, a ask, data []byte) (io.Reader, error) { return fault(s, ctx, a, data) }
					}
					var wg sync.WaitGroup
					for i := range s.bodies {
						wg.Go(func() { checkWindows(t, s, b, i) })
					}
					wg.Wait()
					checkClean(t, b, s)
				})
			}
		})
	}
}

// The bytes written before the source shows that it does not support ranges are not
// written twice.
func TestRestSkipsWhatIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(100<<10), NewBudget(small)
		s.fault = func(_ context.Context, a ask, data []byte) (io.Reader, error) {
			switch {
			case a.off > 0:
				synctest.Wait() // until the first window is written
				return nil, ErrWholeOnly
			case a.n == 100<<10 && a.attempt == 0:
				return bytes.NewReader(data[:60<<10]), nil
			}
			return nil, nil
		}
		s.window, s.limit = b.window, make(chan struct{}, 1)
		checkWindows(t, s, b, 0)
		checkClean(t, b, s)
		if whole := s.count(func(a ask) bool { return a.n == 100<<10 }); whole != 2 {
			t.Errorf("asked %d times for the whole", whole)
		}
	})
}

func TestWindowsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(100<<10), NewBudget(small)
		s.fault = func(_ context.Context, a ask, data []byte) (io.Reader, error) {
			if a.off == 40<<10 {
				return nil, errSource
			}
			return nil, nil
		}
		got, err := windowsOf(t, s, b, 0)
		if !errors.Is(err, errSource) || !bytes.HasPrefix(s.bodies[0][:40<<10], got) {
			t.Errorf("%d bytes: %v", len(got), err)
		}
		checkClean(t, b, s)
	})
}

// A call that fails or is cancelled gives its memory back.
func TestWindowsGiveBackTheirMemory(t *testing.T) {
	broken := errors.New("disk is full")
	synctest.Test(t, func(t *testing.T) {
		s, b := newSource(200<<10, 200<<10, 20<<10), NewBudget(small)
		for _, i := range []int{0, 2} {
			err := Windows(t.Context(), b, s.body(i), writerFunc(func([]byte) (int, error) {
				synctest.Wait() // until the memory is full, or all is there
				return 0, broken
			}))
			if !errors.Is(err, broken) {
				t.Error(err)
			}
			checkClean(t, b, s)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err := Windows(ctx, b, s.body(0), writerFunc(func(p []byte) (int, error) {
			synctest.Wait()
			cancel()
			return len(p), nil
		}))
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		checkClean(t, b, s)
		checkWindows(t, s, b, 1)
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
