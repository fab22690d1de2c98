package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
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
