package fetch

// Options are the sizes of a run. All are bytes but Ahead.
type Options struct {
	// Budget bounds the chunks in use: what is being fetched, what is encoded and
	// waits for the writer, and the reserve. Beyond it goes what a sink that works
	// just then holds twice, the chunk that it reads and what it emits at once (no
	// more sinks work at a time than there are processors), and, for each large
	// body under way, what its sink had kept back. Nothing more is granted until
	// that is written. 0 means 128 MiB; less than two bytes is two.
	Budget int64
	// Window is how much of a large body one request asks for: 0 means 16 MiB;
	// never more than a quarter of Budget.
	Window int64
	// Large is the size above which a body comes in windows and is written
	// before all of it is known to be right. 0 means 64 MiB or a quarter of
	// Budget, whichever is less. It is cut down to what Budget can hold.
	Large int64
	// Ahead is the number of pieces that may have memory at one time. 0 means
	// 1024: each has a goroutine, and no registry takes that many requests at once.
	Ahead int
	// Chunk is the unit in which memory is charged and pooled. 0 means 64 KiB:
	// the least that a request costs with its buffers, whatever its body's size.
	// Chunks of one size cannot be fragmented. Chunks of 1 MiB were no faster on
	// large bodies; they save a tenth of the processor on bodies of just that size,
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

// sizes are Options made consistent: for any of them the reserve holds a window,
// and what is left besides the reserve holds a window and any body of size large.
type sizes struct {
	budget, window, large, chunk int64
	ahead                        int
}

func (o Options) sizes() sizes {
	s := sizes{budget: max(or(o.Budget, defaultBudget), 2), ahead: or(o.Ahead, defaultAhead)}
	s.window = min(or(o.Window, defaultWindow), max(s.budget/4, 1))
	s.chunk = min(int64(or(o.Chunk, defaultChunk)), s.window)
	ahead := s.budget - s.reserve()
	s.large = min(or(o.Large, min(defaultLarge, s.budget/4)), max(ahead-ahead/1024-2*s.chunk, 0))
	return s
}

// Pieces returns how many requests bring a body of a source that gives parts.
func (o Options) Pieces(size int64) int {
	s := o.sizes()
	if size <= s.large {
		return 1
	}
	return int((size-1)/s.window + 1)
}

// reserve is what is kept back for the window at which the writer stands.
func (s sizes) reserve() int64 { return s.part(s.window) }

// part is what n bytes of a body in windows are charged.
func (s sizes) part(n int64) int64 { return (n + s.chunk - 1) / s.chunk * s.chunk }

// whole is what a body in one piece is charged. What a sink adds is included
// (a tar header and padding, a frame per member), or a memory full of bodies of
// exactly one chunk would become twice as large by being encoded.
func (s sizes) whole(n int64) int64 {
	return max(s.part(n+n/1024+s.chunk/32), s.chunk)
}

func or[T int | int64](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
