package graph

import (
	"sync"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// trial judges the signatures of one manifest, once.
type trial struct {
	candidates []engine.Candidate // guarded by graph.mu; nil once they are judged
	memory     int64              // of the candidates, in bytes; guarded by graph.mu
	once       sync.Once          // guards what follows: it is written there
	signedBy   []string
	err        error
}

// maxCandidates bounds the memory, in bytes, that the candidates of one manifest take until they
// are judged: ten thousand of them, with annotations, might have 40 GB.
const maxCandidates = 16 << 20

// add notes a candidate; graph.mu is held.
func (t *trial) add(c engine.Candidate) error {
	n := bounds.DescriptorMemory(&c.Manifest)
	for _, blob := range c.Blobs {
		n += bounds.DescriptorMemory(&blob)
	}
	if t.memory+n > maxCandidates {
		return &bounds.Error{What: "bytes of signatures of one manifest:", Most: maxCandidates}
	}
	if err := bounds.Take(n); err != nil {
		return err
	}
	t.candidates, t.memory = append(t.candidates, c), t.memory+n
	return nil
}

// judged returns the candidates, and frees their memory; graph.mu is held.
func (t *trial) judged() []engine.Candidate {
	all := t.candidates
	bounds.Give(t.memory)
	t.candidates, t.memory = nil, 0
	return all
}
