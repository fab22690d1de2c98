package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

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

func (r *refusal) Close() error { r.closed.Add(1); return nil }
