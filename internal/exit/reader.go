package exit

import (
	"context"
	"io"
)

// stoppableReader lets go of a reader that waits when the run is over: neither a
// pipe nor a terminal can be told to stop. It is for one goroutine.
type stoppableReader struct {
	ctx     context.Context
	from    io.Reader
	buffer  []byte    // of the one read that is under way
	done    chan read // of that
	waiting bool
	rest    []byte
	err     error // behind rest
}

type read struct {
	n   int
	err error
}

// stoppableBuffer is large enough that handing it over costs nothing.
const stoppableBuffer = 256 << 10

// NewReader returns r, whose Read fails when ctx is over.
func NewReader(ctx context.Context, r io.Reader) io.Reader {
	if r == nil {
		return nil
	}
	return &stoppableReader{ctx: ctx, from: r, done: make(chan read, 1)}
}

func (s *stoppableReader) Read(p []byte) (int, error) {
	if err := context.Cause(s.ctx); err != nil {
		return 0, err
	}
	if len(s.rest) == 0 && s.err == nil {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	if len(s.rest) == 0 && s.err != nil {
		return n, s.err
	}
	return n, nil
}

// fill waits for bytes. The goroutine that reads them ends with that read.
func (s *stoppableReader) fill() error {
	if s.buffer == nil {
		s.buffer = make([]byte, stoppableBuffer)
	}
	if !s.waiting {
		s.waiting = true
		go func() {
			n, err := s.from.Read(s.buffer)
			s.done <- read{n, err}
		}()
	}
	select {
	case r := <-s.done:
		s.waiting, s.rest, s.err = false, s.buffer[:r.n], r.err
		return nil
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}
