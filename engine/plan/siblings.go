package plan

import (
	"context"
	"sync/atomic"
)

// siblings are roots of one repository that are found before the graph of an
// index among them is walked. A child that has a tag as well (v1-amd64 beside v1)
// is then fetched once, and always by its tag: what a run asks for does not
// depend on what answers first.
type siblings struct {
	missing atomic.Int32
	found   chan struct{}
}

// lookahead bounds how many artifacts are resolved before the first of them is
// taken, so that manifests that wait for their turn in an archive stay few.
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
	case <-ctx.Done(): // what follows will say so
	}
}
