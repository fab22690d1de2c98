package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
)

// content returns the bytes of body i, the same each time.
func content(i int, size int64) []byte {
	var seed [32]byte
	seed[0], seed[1], seed[2] = byte(i), byte(i>>8), byte(i>>16)
	data := make([]byte, size)
	rand.NewChaCha8(seed).Read(data)
	return data
}

// ask is one call of Open.
type ask struct {
	body, attempt int
	off, n        int64
}

// source serves bodies from memory and records the requests for them.
type source struct {
	bodies   [][]byte
	attempts int
	lag      int // bytes that the sink keeps back

	// fault may replace the data of an ask; it returns data for "no fault".
	fault func(ctx context.Context, a ask, data []byte) (io.Reader, error)
	limit chan struct{} // requests in flight; nil: no limit

	window int64 // an ask for more is a stream, which is not held in memory

	mu          sync.Mutex // guards what follows
	asks        []ask
	open, bytes int64 // in flight
	peak        int64 // of bytes
	sinksUp     int   // made and not closed
}

func newSource(sizes ...int64) *source {
	s := &source{window: math.MaxInt64}
	for i, n := range sizes {
		s.bodies = append(s.bodies, content(i, n))
	}
	return s
}

func (s *source) counted(a ask) bool { return a.n <= s.window }

func (s *source) body(i int) Body {
	return Body{
		Size:     int64(len(s.bodies[i])),
		Attempts: s.attempts,
		Open: func(ctx context.Context, attempt int, off, n int64) (io.ReadCloser, error) {
			return s.get(ctx, ask{i, attempt, off, n})
		},
		Sink: func(emit func([]byte) error) io.WriteCloser {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sinksUp++
			return &frame{source: s, i: i, want: sha256.Sum256(s.bodies[i]), emit: emit, hash: sha256.New()}
		},
	}
}

func (s *source) get(ctx context.Context, a ask) (io.ReadCloser, error) {
	s.mu.Lock()
	s.asks = append(s.asks, a)
	s.mu.Unlock()
	if s.limit != nil {
		select {
		case s.limit <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var r io.Reader = bytes.NewReader(s.bodies[a.body][a.off : a.off+a.n])
	if s.fault != nil {
		faulty, err := s.fault(ctx, a, s.bodies[a.body][a.off:a.off+a.n])
		if err != nil {
			if s.limit != nil {
				<-s.limit
			}
			return nil, err
		}
		if faulty != nil {
			r = faulty
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	if s.counted(a) {
		s.bytes += a.n
		s.peak = max(s.peak, s.bytes)
	}
	return &answer{Reader: r, source: s, ask: a}, nil
}

func (s *source) count(match func(ask) bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asks {
		if match(a) {
			n++
		}
	}
	return n
}

type answer struct {
	io.Reader
	source *source
	ask    ask
	closed bool
}

func (a *answer) Close() error {
	s := a.source
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.closed {
		panic("closed twice")
	}
	a.closed = true
	s.open--
	if s.counted(a.ask) {
		s.bytes -= a.ask.n
	}
	if s.limit != nil {
		<-s.limit
	}
	return nil
}

var errDigest = errors.New("digest does not match")

// frame is a sink that verifies the content and puts brackets around it, so that the
// encoded bytes differ. It keeps some bytes back, as an encoder does.
type frame struct {
	source *source
	i      int
	want   [32]byte
	emit   func([]byte) error
	buf    []byte
	hash   hash.Hash
	begun  bool
	closed bool
}

func framed(i int, data []byte) []byte {
	return slices.Concat(fmt.Appendf(nil, "<%d ", i), data, []byte(">"))
}

func (f *frame) Write(p []byte) (int, error) {
	if !f.begun {
		f.begun = true
		f.buf = fmt.Appendf(f.buf, "<%d ", f.i)
	}
	f.hash.Write(p)
	f.buf = append(f.buf, p...)
	if len(f.buf) <= f.source.lag {
		return len(p), nil
	}
	err := f.emit(f.buf)
	f.buf = f.buf[:0]
	return len(p), err
}

func (f *frame) Close() error {
	if f.closed {
		panic("sink closed twice")
	}
	f.closed = true
	f.source.mu.Lock()
	f.source.sinksUp--
	f.source.mu.Unlock()
	if !f.begun {
		f.buf = fmt.Appendf(f.buf, "<%d ", f.i)
	}
	err := f.emit(append(f.buf, '>'))
	if !bytes.Equal(f.hash.Sum(nil), f.want[:]) {
		return errDigest
	}
	return err
}

// file is a Writer that keeps the bytes and checks the order of the calls.
type file struct {
	bytes.Buffer
	last, begun int // the last body, and the current one; -1: none is open
	start       int
	failed      map[int]error
	rollbacks   int
	write       func(i int) error // called at each Write; may block
}

func newFile() *file { return &file{last: -1, begun: -1, failed: map[int]error{}} }

func (f *file) Begin(i int) error {
	if f.begun >= 0 || i < f.last {
		panic(fmt.Sprintf("Begin(%d) after %d, open: %d", i, f.last, f.begun))
	}
	f.begun, f.last, f.start = i, i, f.Len()
	return nil
}

func (f *file) Write(p []byte) (int, error) {
	if f.begun < 0 {
		panic("Write before Begin")
	}
	if f.write != nil {
		if err := f.write(f.begun); err != nil {
			return 0, err
		}
	}
	return f.Buffer.Write(p)
}

func (f *file) End() error {
	if f.begun < 0 {
		panic("End before Begin")
	}
	f.begun = -1
	return nil
}

func (f *file) Rollback() error {
	if f.begun < 0 {
		panic("Rollback before Begin")
	}
	f.Truncate(f.start)
	f.begun = -1
	f.rollbacks++
	return nil
}

func (f *file) Failed(i int, err error) error {
	if f.begun >= 0 || i < f.last {
		panic(fmt.Sprintf("Failed(%d) after %d, open: %d", i, f.last, f.begun))
	}
	f.last = i
	f.failed[i] = err
	return nil
}

// expected returns the file that holds all bodies but those that are left out.
func (s *source) expected(without map[int]error) []byte {
	var want []byte
	for i, data := range s.bodies {
		if without[i] == nil {
			want = append(want, framed(i, data)...)
		}
	}
	return want
}
