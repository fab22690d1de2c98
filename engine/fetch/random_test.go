package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// story is a run made from a seed: sizes, options, faults and delays. A body is
// doomed, or has faults in all attempts but the last and must arrive.
type story struct {
	seed   uint64
	o      Options
	source *source
	doomed map[int]bool
}

// dice gives the same numbers for the same point of a story, whatever runs first.
func (s *story) dice(place ...any) *rand.Rand {
	h := s.seed
	for _, b := range fmt.Append(nil, place...) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(s.seed, h))
}

func newStory(seed uint64) *story {
	s := &story{seed: seed, doomed: map[int]bool{}}
	d := s.dice("story")
	s.o = Options{
		Budget: 1 + d.Int64N(1<<(1+d.IntN(16))),
		Window: 1 + d.Int64N(1<<(1+d.IntN(13))),
		Large:  1 + d.Int64N(1<<(1+d.IntN(13))),
		Ahead:  1 + d.IntN(1<<d.IntN(8)),
		Chunk:  1 + d.IntN(1<<d.IntN(11)),
	}
	window := s.o.sizes().window
	var sizes []int64
	for range d.IntN(30) {
		size := d.Int64N(1 << d.IntN(15))
		sizes = append(sizes, min(size, 60*window)) // a request for each window
	}
	s.source = newSource(sizes...)
	s.source.attempts = 1 + d.IntN(3)
	s.source.lag = d.IntN(1 << d.IntN(10))
	if d.IntN(2) == 0 {
		s.source.limit = make(chan struct{}, 1+d.IntN(4))
	}
	s.source.fault = s.fault
	for i := range sizes {
		s.doomed[i] = d.IntN(8) == 0
	}
	return s
}

func (s *story) fault(ctx context.Context, a ask, data []byte) (io.Reader, error) {
	d := s.dice("ask", a)
	time.Sleep(time.Duration(d.IntN(10)) * time.Millisecond)
	size := int64(len(s.source.bodies[a.body]))
	if a.n < size && s.dice("range", a.body, a.attempt).IntN(4) == 0 {
		return nil, ErrWholeOnly
	}
	if s.doomed[a.body] && (a.off+a.n == size || d.IntN(20) == 0) {
		return faulty(d, data)
	}
	if !s.doomed[a.body] && a.attempt+1 < s.source.attempts && d.IntN(6) == 0 {
		return faulty(d, data)
	}
	return slow(bytes.NewReader(data)), nil
}

// faulty always damages something.
func faulty(d *rand.Rand, data []byte) (io.Reader, error) {
	switch kind := d.IntN(5); {
	case kind == 0 || len(data) == 0:
		return nil, errSource
	case kind == 1:
		return bytes.NewReader(data[:d.IntN(len(data))]), nil
	case kind == 2:
		return io.MultiReader(bytes.NewReader(data), bytes.NewReader(data)), nil
	case kind == 3:
		return slow(bytes.NewReader(flipped(data))), nil
	default:
		return io.MultiReader(bytes.NewReader(data[:len(data)/2]), readerFunc(func([]byte) (int, error) { return 0, errSource })), nil
	}
}

func slow(r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		time.Sleep(time.Millisecond)
		return r.Read(p[:(len(p)+1)/2])
	})
}

func TestRandom(t *testing.T) {
	for seed := range uint64(120) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := newStory(seed), newFile()
				pause := s.dice("writer")
				f.write = func(int) error {
					time.Sleep(time.Duration(pause.IntN(20)) * time.Millisecond)
					return nil
				}
				fetchAll(t, s.o, s.source, f)
				for i := range s.source.bodies {
					if failed := f.failed[i] != nil; failed != s.doomed[i] {
						t.Errorf("body %d: failed: %v, doomed: %v", i, f.failed[i], s.doomed[i])
					}
				}
			})
		})
	}
}

// A run ends wherever it is cancelled, and leaves nothing behind.
func TestRandomCancel(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			s, f := newStory(seed), newFile()
			f.write = func(int) error { time.Sleep(time.Millisecond); return nil }
			after := time.Duration(s.dice("cancel").IntN(300)) * time.Millisecond
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			err := Ordered(ctx, s.o, len(s.source.bodies), s.source.body, f)
			if err != nil && ctx.Err() == nil {
				t.Errorf("seed %d: %v", seed, err)
			}
			if s.source.open != 0 || s.source.sinksUp != 0 {
				t.Errorf("seed %d: left behind: %d readers, %d sinks", seed, s.source.open, s.source.sinksUp)
			}
		})
	}
}
