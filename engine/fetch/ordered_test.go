package fetch

import (
	"bytes"
	"runtime"
	"testing"
	"testing/synctest"
)

// All tests run in a bubble of testing/synctest: a deadlock, or a goroutine that
// stays behind, fails them at once, and time passes only there.

// fetchAll runs Ordered over the whole source and checks the invariants.
func fetchAll(t *testing.T, o Options, s *source, f *file) {
	t.Helper()
	fetchWithin(t, NewBudget(o), s, f)
}

func fetchWithin(t *testing.T, b *Budget, s *source, f *file) {
	t.Helper()
	s.window = max(b.window, b.large)
	q := newQueue(b, f)
	if err := q.write(t.Context(), len(s.bodies), s.body); err != nil {
		t.Fatal(err)
	}
	if want := s.expected(f.failed); !bytes.Equal(f.Bytes(), want) {
		t.Fatalf("file has %d bytes, want %d, or they differ", f.Len(), len(want))
	}
	checkClean(t, b, s)
	if q.reserve.free != q.reserve.capacity {
		t.Fatalf("left behind: %d bytes of the reserve", q.reserve.capacity-q.reserve.free)
	}
}

func checkClean(t *testing.T, b *Budget, s *source) {
	t.Helper()
	if s.open != 0 || s.sinksUp != 0 || b.chunks.out != 0 {
		t.Fatalf("left behind: %d readers, %d sinks, %d bytes of chunks", s.open, s.sinksUp, b.chunks.out)
	}
	if b.free != b.capacity {
		t.Fatalf("left behind: %d bytes of the account", b.capacity-b.free)
	}
	if s.peak > b.budget {
		t.Fatalf("%d bytes asked for at one time, budget %d", s.peak, b.budget)
	}
	if most := b.budget + extra(b, s); b.chunks.peak > most {
		t.Fatalf("%d bytes of chunks, at most %d allowed (%+v)", b.chunks.peak, most, b.sizes)
	}
}

// extra returns the bytes that may be held beyond the budget: a working sink holds the
// chunk it reads and the bytes it emits; the sink of a body in windows holds bytes that
// it kept back from a window whose memory was given back already.
func extra(b *Budget, s *source) int64 {
	back := b.part(int64(s.lag) + 32)
	most := int64(runtime.GOMAXPROCS(0)) * (2*b.chunk + back)
	for _, body := range s.bodies {
		if int64(len(body)) > b.large {
			most += back
		}
	}
	return most
}

var small = Options{Budget: 64 << 10, Window: 8 << 10, Chunk: 1 << 10}

func TestOrdered(t *testing.T) {
	tests := []struct {
		name  string
		o     Options
		sizes []int64
	}{
		{"nothing", small, nil},
		{"one", small, []int64{5}},
		{"empty bodies", small, []int64{0, 0, 3, 0}},
		{"many", small, sizesOf(300, 700)},
		{"a body larger than the budget", small, []int64{10, 300 << 10, 10}},
		{"windows times bodies larger than the budget", small, sizesOf(8, 64<<10)},
		{"a budget smaller than a window", Options{Budget: 1000, Window: 16 << 20}, []int64{5000, 3, 4000}},
		{"a budget of one byte", Options{Budget: 1}, []int64{0, 1, 20, 3}},
		{"one piece ahead", Options{Budget: 64 << 10, Ahead: 1, Window: 1 << 10, Large: 1 << 10, Chunk: 256}, sizesOf(20, 3000)},
		{"everything large", Options{Budget: 64 << 10, Large: 1, Window: 1000, Chunk: 100}, sizesOf(20, 5000)},
		{"exactly whole chunks", small, sizesOf(100, 1<<10)},
		{"exactly large", small, []int64{16 << 10, 16<<10 + 1, 8 << 10, 16 << 10}},
		{"larger than it can be", Options{Budget: 64 << 10, Large: 1 << 30, Chunk: 1 << 10}, sizesOf(4, 60<<10)},
		{"chunks of the usual size", Options{Budget: 8 << 20}, []int64{1 << 10, 5 << 20, 1 << 20}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := newSource(tt.sizes...), newFile()
				fetchAll(t, tt.o, s, f)
				if len(f.failed) > 0 {
					t.Fatal(f.failed)
				}
			})
		})
	}
}

func sizesOf(n int, size int64) []int64 {
	sizes := make([]int64, n)
	for i := range sizes {
		sizes[i] = size
	}
	return sizes
}

func flipped(data []byte) []byte {
	data = bytes.Clone(data)
	data[len(data)/2] ^= 1
	return data
}
