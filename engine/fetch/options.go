package fetch

// Options are the sizes of a run. All are bytes but Ahead.
type Options struct {
	// Budget bounds the chunks in use: bytes that are being fetched, encoded bytes
	// that wait for the writer, and the reserve. A working sink can exceed it by the
	// chunk that it reads and the bytes that it emits at that moment (no more sinks
	// work at a time than there are processors), and the sink of each large body in
	// flight by the bytes that it kept back. No more memory is granted until those
	// are written. 0 means 128 MiB; the minimum is two bytes.
	Budget int64
	// Window is the size of one request for a part of a large body: 0 means 16 MiB;
	// at most a quarter of Budget.
	Window int64
	// Large is the size above which a body is fetched in windows, and written
	// before all of it is verified. 0 means 64 MiB or a quarter of Budget, whichever
	// is less. It is reduced to a size that fits in Budget.
	Large int64
	// Ahead is the number of pieces that may have memory at one time. 0 means
	// 1024: each has a goroutine, and no registry takes that many requests at once.
	Ahead int
	// Chunk is the unit in which memory is charged and pooled. 0 means 64 KiB:
	// the minimum that a request costs with its buffers, whatever its body's size.
	// Chunks of one size cannot be fragmented. Chunks of 1 MiB were no faster on
	// large bodies; they save a tenth of the CPU time on bodies of just that size,
	// and would let a hundred tiny ones fill the memory (BenchmarkBodies).
	Chunk int
}

const (
	defaultBudget = 128 << 20
	defaultWindow = 16 << 20
	defaultLarge  = 64 << 20
	defaultAhead  = 1024
	defaultChunk  = 64 << 10
)

// sizes holds Options made consistent: whatever they are, the reserve has room for a
// window, and the rest of the budget for a window and for any body of size large.
type sizes struct {
	budget, window, large, chunk int64
	ahead                        int
}

func (o Options) sizes() sizes {
	s := sizes{budget: max(orDefault(o.Budget, defaultBudget), 2), ahead: orDefault(o.Ahead, defaultAhead)}
	s.window = min(orDefault(o.Window, defaultWindow), max(s.budget/4, 1))
	s.chunk = min(int64(orDefault(o.Chunk, defaultChunk)), s.window)
	ahead := s.budget - s.reserve()
	s.large = min(orDefault(o.Large, min(defaultLarge, s.budget/4)), max(ahead-ahead/1024-2*s.chunk, 0))
	return s
}

// Pieces returns how many requests fetch a body from a source that supports ranges.
func (o Options) Pieces(size int64) int {
	s := o.sizes()
	if size <= s.large {
		return 1
	}
	return int((size-1)/s.window + 1)
}

// reserve returns the size of the reserve: the window that the writer waits for.
func (s sizes) reserve() int64 { return s.part(s.window) }

// part returns the charge for n bytes of a body that is fetched in windows.
func (s sizes) part(n int64) int64 { return (n + s.chunk - 1) / s.chunk * s.chunk }

// whole returns the charge for a body that is fetched in one piece. It includes the
// bytes that a sink adds (a tar header and padding, a frame per member): otherwise
// encoding would double a memory full of bodies of exactly one chunk.
func (s sizes) whole(n int64) int64 {
	return max(s.part(n+n/1024+s.chunk/32), s.chunk)
}

// orDefault returns v if it is positive.
func orDefault[T int | int64](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}
