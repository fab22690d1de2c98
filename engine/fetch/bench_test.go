package fetch

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"testing"
)

// ready is a source that costs as little as one can: the same bytes each time.
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

// digester hashes and emits what it is given.
type digester struct {
	hash.Hash
	emit func([]byte) error
}

func (d *digester) Write(p []byte) (int, error) {
	d.Hash.Write(p)
	return len(p), d.emit(p)
}

func (d *digester) Close() error { return nil }

type sum struct{ n int64 }

func (s *sum) Begin(int) error             { return nil }
func (s *sum) Write(p []byte) (int, error) { s.n += int64(len(p)); return len(p), nil }
func (s *sum) End() error                  { return nil }
func (s *sum) Rollback() error             { return nil }
func (s *sum) Failed(i int, err error) error {
	return fmt.Errorf("body %d: %w", i, err)
}

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
				return &digester{sha256.New(), emit}
			}
			return passer{emit}
		},
	}
}

// bare does what has to be done for n bodies and nothing else.
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

// One body of many MiB is 1 GiB of them; with hashing the floor is the hash.
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

// A hundred thousand tiny bodies cost memory for those under way, not for all.
func TestAllocationsPerBody(t *testing.T) {
	const n = 100_000
	body := bodyOf(300, false)
	empty := func(int) Body { return body }
	allocs := testing.AllocsPerRun(1, func() {
		if err := Ordered(t.Context(), Options{}, n, empty, &sum{}); err != nil {
			t.Fatal(err)
		}
	})
	// Two are those of this source and sink. One is ours: a goroutine's closure.
	if each := allocs / n; each > 5 {
		t.Fatalf("%.1f allocations per body", each)
	} else {
		t.Logf("%.2f allocations per body", each)
	}
}
