package plan

import (
	"context"
	"sync/atomic"
)

// siblings are roots of one repository that are found before the graph of an
// index among them is walked. A child that has a tag as well (v1-amd64 beside v1)
// is then fetched once, and always by its tag: the requests of a run do not depend on which
// response comes first.
type siblings struct {
	missing atomic.Int32
	found   chan struct{}
}

// lookahead bounds the artifacts that are resolved before the first of them is taken, so that
// manifests that wait for their turn in an archive stay few.
const lookahead = 1024

// maxSiblings keeps them few enough to wait in the channel between the stages.
const maxSiblings = lookahead / 2

func newSiblings(n int) *siblings {
	s := &siblings{found: make(chan struct{})}
	s.missing.Store(int32(n))
	return s
}

func (s *siblings) done() {
	if s.missing.Add(-1) == 0 {
		close(s.found)
	}
}

func (s *siblings) wait(ctx context.Context) {
	select {
	case <-s.found:
	case <-ctx.Done(): // the caller finds the error
	}
}
