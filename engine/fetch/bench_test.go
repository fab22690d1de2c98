package fetch

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"runtime"
	"testing"
)

// ready is the cheapest possible source: it has the same bytes each time.
type ready struct {
	data []byte
	left int64
}

func (r *ready) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), r.left)], r.data)
	r.left -= int64(n)
	return n, nil
}

func (r *ready) Close() error { return nil }

// digester hashes, and emits 1 MiB at a time, as a bundle's encoder does.
type digester struct {
	hash hash.Hash
	out  *bufio.Writer
}

func (d *digester) Write(p []byte) (int, error) {
	d.hash.Write(p)
	return d.out.Write(p)
}

func (d *digester) Close() error { return d.out.Flush() }

type emitter func([]byte) error

func (e emitter) Write(p []byte) (int, error) { return len(p), e(p) }

type sum struct{ n int64 }

func (s *sum) Begin(int) error             { return nil }
func (s *sum) Write(p []byte) (int, error) { s.n += int64(len(p)); return len(p), nil }
func (s *sum) End() error                  { return nil }
func (s *sum) Rollback() error             { return nil }
func (s *sum) Failed(i int, err error) error {
	return fmt.Errorf("body %d: %w", i, err)
}

// passer only emits.
type passer struct{ emit func([]byte) error }

func (p passer) Write(b []byte) (int, error) { return len(b), p.emit(b) }
func (p passer) Close() error                { return nil }

func bodyOf(size int64, hashed bool) Body {
	data := make([]byte, min(size, 1<<20)+1)
	return Body{
		Size: size,
		Open: func(_ context.Context, _ int, _, n int64) (io.ReadCloser, error) {
			return &ready{data: data, left: n}, nil
		},
		Sink: func(emit func([]byte) error) io.WriteCloser {
			if hashed {
				return &digester{sha256.New(), bufio.NewWriterSize(emitter(emit), int(min(size, 1<<20)))}
			}
			return passer{emit}
		},
	}
}

// bare does only the necessary work for n bodies.
func bare(b *testing.B, body Body, n int) {
	var out sum
	buf := make([]byte, 64<<10)
	for range n {
		rc, _ := body.Open(b.Context(), 0, 0, body.Size)
		sink := body.Sink(func(p []byte) error { _, err := out.Write(p); return err })
		if _, err := io.CopyBuffer(sink, rc, buf); err != nil {
			b.Fatal(err)
		}
		sink.Close()
	}
}

// 256 MiB in bodies of three sizes. With hashing the floor is the hash, on all processors.
func BenchmarkBodies(b *testing.B) {
	for _, size := range []int64{2 << 10, 1 << 20, 256 << 20} {
		n := int(min(256<<20/size, 100_000))
		body := bodyOf(size, true)
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("%s/%dx%dKiB", name, n, size>>10), func(b *testing.B) {
				b.SetBytes(int64(n) * size)
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
		run("bare", func() { bare(b, body, n) })
		for _, chunk := range []int{64 << 10, 1 << 20} {
			run(fmt.Sprintf("ordered/chunk%dKiB", chunk>>10), func() {
				o := Options{Chunk: chunk}
				if err := Ordered(b.Context(), o, n, func(int) Body { return body }, &sum{}); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

// A hundred thousand tiny bodies cost memory for those in flight, not for all.
func TestAllocationsPerBody(t *testing.T) {
	const n = 100_000
	body := bodyOf(300, false)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := Ordered(t.Context(), Options{Budget: 8 << 20}, n, func(int) Body { return body }, &sum{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	// The reader and the goroutine; a sync.Pool under -race drops one in four.
	if each := float64(after.Mallocs-before.Mallocs) / n; each > 5 {
		t.Fatalf("%.2f allocations per body", each)
	}
	if each := (after.TotalAlloc - before.TotalAlloc) / n; each > 800 {
		t.Fatalf("%d bytes per body", each)
	}
}
