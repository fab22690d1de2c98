package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errSource = errors.New("source is down")

// The reserve prevents this deadlock: the first body has to be fetched again while later
// bodies hold all the memory.
func TestWrongOnceWhileTheMemoryIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 200 << 10
		s, f, b := newSource(append([]int64{size}, sizesOf(200, 2000)...)...), newFile(), NewBudget(small)
		s.fault = func(_ context.Context, a ask, data []byte) (io.Reader, error) {
			if a.body == 0 && a.attempt == 0 && a.off+a.n == size {
				return bytes.NewReader(flipped(data)), nil
			}
			return nil, nil
		}
		full := false
		f.write = func(i int) error {
			if i == 0 && f.rollbacks == 1 {
				synctest.Wait()
				b.mu.Lock()
				full = full || b.free < b.window && b.waiting.Len() > 0
				b.mu.Unlock()
			}
			return nil
		}
		fetchWithin(t, b, s, f)
		if len(f.failed) > 0 || f.rollbacks != 1 {
			t.Fatalf("%d failed, %d rollbacks", len(f.failed), f.rollbacks)
		}
		if !full {
			t.Fatal("the memory was never full during the second fetch")
		}
	})
}

func TestLimitOfOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newSource(10, 300<<10, 4000, 0, 100<<10, 7), newFile()
		s.limit = make(chan struct{}, 1)
		s.fault = func(_ context.Context, a ask, data []byte) (io.Reader, error) {
			if a.attempt == 0 && a.off+a.n == int64(len(s.bodies[a.body])) && a.n > 0 {
				return bytes.NewReader(flipped(data)), nil
			}
			return nil, nil
		}
		fetchAll(t, small, s, f)
		if len(f.failed) > 0 {
			t.Fatal(f.failed)
		}
	})
}

// A source without Range gets one needless request for a window, not one for each.
func TestNoRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newSource(sizesOf(6, 300<<10)...), newFile()
		s.limit = make(chan struct{}, 1)
		s.fault = s.noRange
		fetchAll(t, small, s, f)
		if len(f.failed) > 0 || f.rollbacks > 0 || len(s.asks) != 12 {
			t.Fatalf("%v, %d rollbacks, %d asks", f.failed, f.rollbacks, len(s.asks))
		}
	})
}

// noRange is the fault of a source that does not support ranges.
func (s *source) noRange(_ context.Context, a ask, _ []byte) (io.Reader, error) {
	if a.n < int64(len(s.bodies[a.body])) {
		return nil, ErrWholeOnly
	}
	return nil, nil
}

func TestNoRangeAndWrongOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newSource(10, 300<<10, 10), newFile()
		s.fault = func(ctx context.Context, a ask, data []byte) (io.Reader, error) {
			if a.body == 1 && a.attempt == 0 && a.n == 300<<10 {
				return bytes.NewReader(flipped(data)), nil
			}
			if a.body == 1 {
				return s.noRange(ctx, a, data)
			}
			return nil, nil
		}
		fetchAll(t, small, s, f)
		if len(f.failed) > 0 || f.rollbacks != 1 {
			t.Fatalf("%v, %d rollbacks", f.failed, f.rollbacks)
		}
	})
}

// The second source is asked for windows if the first one sent none of the right bytes,
// and it may be the one without Range.
func TestSecondSourceWithoutRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newSource(300<<10), newFile()
		s.fault = func(ctx context.Context, a ask, data []byte) (io.Reader, error) {
			if a.attempt == 0 && a.off == 0 {
				return bytes.NewReader(flipped(data)), nil
			}
			if a.attempt == 1 {
				return s.noRange(ctx, a, data)
			}
			return nil, nil
		}
		fetchAll(t, small, s, f)
		if len(f.failed) > 0 || f.rollbacks != 1 {
			t.Fatalf("%v, %d rollbacks", f.failed, f.rollbacks)
		}
	})
}

// A request in flight never waits for the writer: all responses are read to their end
// while the writer blocks.
func TestWriterStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newSource(append(sizesOf(3, 100<<10), sizesOf(500, 900)...)...), newFile()
		checked := false
		f.write = func(int) error {
			if !checked {
				synctest.Wait()
				s.mu.Lock()
				defer s.mu.Unlock()
				if s.open != 0 || len(s.asks) < 6 {
					t.Errorf("%d in flight, %d asked for", s.open, len(s.asks))
				}
				checked = true
			}
			return nil
		}
		fetchAll(t, small, s, f)
	})
}

// Bodies of exactly one chunk grow to two by encoding, and all of them wait.
func TestEncodedIsCharged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f, b := newSource(sizesOf(500, 1<<10)...), newFile(), NewBudget(small)
		f.write = func(int) error { synctest.Wait(); return nil }
		fetchWithin(t, b, s, f)
		if b.chunks.peak < b.budget/2 {
			t.Errorf("a peak of %d: nothing was fetched ahead", b.chunks.peak)
		}
	})
}

// No more sinks work at a time than there are processors, however many bodies there are.
func TestSinksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newSource(append(sizesOf(4, 100<<10), sizesOf(50, 900)...)...), newFile()
		var mu sync.Mutex
		var busy, most int
		work := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			busy += n
			most = max(most, busy)
		}
		body := func(i int) Body {
			b := s.body(i)
			sink := b.Sink
			b.Sink = func(emit func([]byte) error) io.WriteCloser {
				return sink(func(p []byte) error {
					work(+1)
					defer work(-1)
					time.Sleep(time.Millisecond)
					return emit(p)
				})
			}
			return b
		}
		if err := Ordered(t.Context(), small, len(s.bodies), body, f); err != nil {
			t.Fatal(err)
		}
		if n := runtime.GOMAXPROCS(0); most > n || most < min(n, 2) {
			t.Errorf("%d sinks at once on %d processors", most, n)
		}
	})
}

func TestWriterFails(t *testing.T) {
	broken := errors.New("disk is full")
	for _, at := range []int{0, 1, 7} {
		synctest.Test(t, func(t *testing.T) {
			s, f := newSource(append([]int64{10, 100 << 10}, sizesOf(500, 900)...)...), newFile()
			f.write = func(i int) error {
				if i == at {
					return broken
				}
				return nil
			}
			err := Ordered(t.Context(), small, len(s.bodies), s.body, f)
			if !errors.Is(err, broken) {
				t.Fatal(err)
			}
			if s.open != 0 || s.sinksUp != 0 {
				t.Fatalf("left behind: %d readers, %d sinks", s.open, s.sinksUp)
			}
		})
	}
}

// Cancelled while every Open waits, every Read waits, or the writer does.
func TestCancel(t *testing.T) {
	stuck := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	faults := map[string]func(context.Context, ask, []byte) (io.Reader, error){
		"open": func(ctx context.Context, _ ask, _ []byte) (io.Reader, error) { return nil, stuck(ctx) },
		"read": func(ctx context.Context, a ask, data []byte) (io.Reader, error) {
			return readerFunc(func(p []byte) (int, error) { return 0, stuck(ctx) }), nil
		},
		"read of the last window": func(ctx context.Context, a ask, data []byte) (io.Reader, error) {
			if a.off < 90<<10 {
				return nil, nil
			}
			return readerFunc(func(p []byte) (int, error) { return 0, stuck(ctx) }), nil
		},
		"stream": func(ctx context.Context, a ask, data []byte) (io.Reader, error) {
			if a.n < 100<<10 {
				return nil, ErrWholeOnly
			}
			return io.MultiReader(bytes.NewReader(data[:50<<10]), readerFunc(func(p []byte) (int, error) { return 0, stuck(ctx) })), nil
		},
		"writer": nil,
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				s, f := newSource(append(sizesOf(3, 100<<10), sizesOf(500, 900)...)...), newFile()
				s.fault = fault
				started, asks, bodies := 0, 0, 0
				stop := func() {
					synctest.Wait()
					asks, bodies = len(s.asks), started
					cancel()
				}
				if fault == nil {
					f.write = func(int) error { stop(); return nil }
				} else {
					go stop()
				}
				err := Ordered(ctx, small, len(s.bodies), func(i int) Body { started++; return s.body(i) }, f)
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				if len(s.asks) != asks || started != bodies {
					t.Errorf("after the end %d more asks, %d more bodies", len(s.asks)-asks, started-bodies)
				}
				if s.open != 0 || s.sinksUp != 0 || len(f.failed) > 0 {
					t.Fatalf("left behind: %d readers, %d sinks; %d failed", s.open, s.sinksUp, len(f.failed))
				}
			})
		})
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Responses to the requests for one body of three, and their results.
func TestFaults(t *testing.T) {
	short := func(data []byte) io.Reader { return bytes.NewReader(data[:len(data)-1]) }
	long := func(data []byte) io.Reader { return io.MultiReader(bytes.NewReader(data), strings.NewReader("x")) }
	breaks := func(data []byte) io.Reader {
		return io.MultiReader(bytes.NewReader(data[:len(data)/2]), readerFunc(func([]byte) (int, error) { return 0, errSource }))
	}
	wrong := func(data []byte) io.Reader { return bytes.NewReader(flipped(data)) }
	tests := []struct {
		name      string
		size      int64
		answer    func(data []byte) io.Reader // nil: errSource
		times     int                         // attempts that get it
		asks      int                         // for this body
		rollbacks int
		want      error // in Failed
	}{
		{"small, refused once", 900, nil, 1, 2, 0, nil},
		{"small, refused", 900, nil, 2, 2, 0, errSource},
		{"small, breaks once", 900, breaks, 1, 2, 0, nil},
		{"small, short", 900, short, 2, 2, 0, io.ErrUnexpectedEOF},
		{"small, long", 900, long, 2, 2, 0, &LengthError{}},
		{"small, wrong once", 900, wrong, 1, 2, 0, nil},
		{"small, wrong", 900, wrong, 2, 2, 0, errDigest},
		{"large, window refused once", 16<<10 + 1, nil, 1, 4, 0, nil},
		{"large, window breaks once", 40 << 10, breaks, 1, 6, 0, nil},
		{"large, window short once", 40 << 10, short, 1, 6, 0, nil},
		{"large, window long once", 40 << 10, long, 1, 6, 0, nil},
		{"large, window wrong once", 40 << 10, wrong, 1, 10, 1, nil},
		{"large, window wrong", 40 << 10, wrong, 2, 10, 2, errDigest},
		{"large, window refused", 40 << 10, nil, 2, 6, 1, errSource},
		{"large, window short", 40 << 10, short, 2, 6, 1, io.ErrUnexpectedEOF},
		{"large, window long", 40 << 10, long, 2, 6, 1, &LengthError{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := newSource(300, tt.size, 300, 20<<10), newFile()
				s.fault = func(_ context.Context, a ask, data []byte) (io.Reader, error) {
					last := a.off+a.n == tt.size
					if a.body != 1 || !last || a.attempt >= tt.times {
						return nil, nil
					}
					synctest.Wait() // until the writer has taken what came before
					if tt.answer == nil {
						return nil, errSource
					}
					return tt.answer(data), nil
				}
				fetchAll(t, Options{Budget: 64 << 10, Window: 8 << 10, Large: 16 << 10, Chunk: 1 << 10}, s, f)
				asks := s.count(func(a ask) bool { return a.body == 1 })
				if asks != tt.asks || f.rollbacks != tt.rollbacks {
					t.Errorf("%d asks, %d rollbacks; want %d, %d", asks, f.rollbacks, tt.asks, tt.rollbacks)
				}
				checkFailure(t, f.failed, tt.want)
			})
		})
	}
}

func checkFailure(t *testing.T, failed map[int]error, want error) {
	t.Helper()
	var length *LengthError
	switch err := failed[1]; {
	case want == nil && len(failed) == 0:
	case len(failed) != 1 || err == nil:
		t.Errorf("failed: %v; want 1: %v", failed, want)
	case errors.As(want, &length) && errors.As(err, &length):
	case !errors.Is(err, want):
		t.Errorf("%v; want %v", err, want)
	}
}

// The error has both errors if two sources fail in two ways.
func TestBothErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newSource(10), newFile()
		s.fault = func(_ context.Context, a ask, data []byte) (io.Reader, error) {
			if a.attempt == 0 {
				return bytes.NewReader(flipped(data)), nil
			}
			return nil, errSource
		}
		fetchAll(t, small, s, f)
		err := f.failed[0]
		if !errors.Is(err, errDigest) || !errors.Is(err, errSource) || strings.Contains(err.Error(), "\n") {
			t.Fatal(err)
		}
	})
}

// The bytes that a sink emits while it is closed after a failure are not written: in a
// pipe, each body that was begun for nothing costs its size in zeros.
func TestNothingBegunForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newSource(100<<10), newFile()
		s.lag = 50 << 10
		s.fault = func(_ context.Context, a ask, data []byte) (io.Reader, error) {
			if a.off == 32<<10 {
				return nil, errSource
			}
			return nil, nil
		}
		body := s.body(0)
		sink := body.Sink
		body.Sink = func(emit func([]byte) error) io.WriteCloser {
			return sink(func(p []byte) error {
				err := emit(p)
				synctest.Wait() // until the writer has taken it
				return err
			})
		}
		f.write = func(int) error { t.Error("written"); return nil }
		if err := Ordered(t.Context(), small, 1, func(int) Body { return body }, f); err != nil {
			t.Fatal(err)
		}
		if f.rollbacks > 0 || !errors.Is(f.failed[0], errSource) {
			t.Errorf("%d rollbacks, failed: %v", f.rollbacks, f.failed)
		}
	})
}

// A sink whose Write fails is closed like any other.
func TestSinkRefuses(t *testing.T) {
	for _, size := range []int64{10, 100 << 10} {
		synctest.Test(t, func(t *testing.T) {
			var closed atomic.Int32
			body := func(int) Body {
				return Body{
					Size: size,
					Open: func(_ context.Context, _ int, off, n int64) (io.ReadCloser, error) {
						return io.NopCloser(bytes.NewReader(make([]byte, n))), nil
					},
					Sink: func(func([]byte) error) io.WriteCloser { return &refusal{&closed} },
				}
			}
			f := newFile()
			if err := Ordered(t.Context(), small, 3, body, f); err != nil {
				t.Fatal(err)
			}
			if closed.Load() != 6 || len(f.failed) != 3 || !errors.Is(f.failed[2], errDigest) {
				t.Fatalf("%d closed, failed: %v", closed.Load(), f.failed)
			}
		})
	}
}

type refusal struct{ closed *atomic.Int32 }

func (r *refusal) Write([]byte) (int, error) { return 0, errDigest }
func (r *refusal) Close() error              { r.closed.Add(1); return nil }
