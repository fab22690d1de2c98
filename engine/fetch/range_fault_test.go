package fetch

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"
)

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
