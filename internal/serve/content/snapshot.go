package content

import (
	"context"
	"sync/atomic"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store"
)

// Snapshot is one state of the inputs, from when they were opened.
type Snapshot struct {
	// Inputs are in the order in which a blob is looked up.
	Inputs []*Input

	states  []store.State
	table   *table
	memory  int64 // accounted for the table
	scanner *scanner

	users atomic.Int64 // requests, and the inputs while it is the current one
	stale atomic.Bool  // a read found an input replaced, whatever its state: it was opened after that was asked for
}

// newSnapshot returns an empty snapshot for one user.
func newSnapshot() *Snapshot {
	t := new(table)
	s := &Snapshot{table: t, scanner: newScanner(t, nil)}
	s.users.Store(1)
	return s
}

// Release closes the inputs after the last user.
func (s *Snapshot) Release() {
	if s.users.Add(-1) > 0 {
		return
	}
	for _, in := range s.Inputs {
		_ = in.layout.Close() // it was only read
	}
	bounds.Give(s.memory)
}

// Repositories returns at most n names behind last, in the order of bytes, and whether others
// follow: those that a restore would give, or the paths in a registry.
func (s *Snapshot) Repositories(registry, last string, n int) (names []string, more bool) {
	t := s.table
	count, at := len(t.names), func(i int) string { return t.names[i].path }
	if registry != "" {
		begin, end := t.sourcesIn(registry)
		count, at = end-begin, func(i int) string { return t.sources[begin+i].path }
	}
	begin := 0
	for last != "" && begin < count && at(begin) <= last {
		begin++
	}
	for i := begin; i < count && len(names) < n; i++ {
		names = append(names, at(i))
	}
	return names, begin+len(names) < count
}

// Repository returns what a path names. With a registry it is only what comes from it.
func (s *Snapshot) Repository(path, registry string) *Repository {
	return &Repository{s.table, s.scanner, s.table.find(path, registry)}
}

// Manifest returns the bytes of a manifest, hashed. The caller releases their memory. A
// manifest that no input has is fs.ErrNotExist, unless one of them cannot be reached.
func (s *Snapshot) Manifest(ctx context.Context, d digest.Digest) (data []byte, release func(), err error) {
	return readManifest(ctx, s.Inputs, d)
}

// MediaType returns the media type that index.json gives a manifest; "" if it has none.
func (s *Snapshot) MediaType(d digest.Digest) string { return s.table.media(compact.Of(d)) }
