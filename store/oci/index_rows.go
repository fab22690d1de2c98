package oci

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/compact"
)

// rows collects the entries of an index.json in less than half of their memory until their number
// is known. To grow a list of entries needs room for the old and the new one.
type rows struct {
	pieces [][]row
	n      int   // in the pieces
	memory int64 // that they take
	shared map[sharedKey]*shared
}

// row is an entry that is being read.
type row struct {
	name    string
	digest  digest.Digest
	size    int64
	subject compact.Digest
	shared  *shared
	foreign *foreign
}

// shared has the fields that are the same in many entries.
type shared struct {
	mediaType, artifactType, referrers, platforms string
	repositories                                  []string
}

// sharedKey identifies shared fields. Equal lists of repositories are the same list.
type sharedKey struct {
	mediaType, artifactType, referrers, platforms string
	first                                         *string // of the repositories
	repositories                                  int
}

// The memory of a row, and of shared fields.
const (
	rowMemory    = 80
	sharedMemory = 100
)

// add appends an entry, and returns the memory that it takes until entries is called.
func (r *rows) add(e *Entry) (memory int) {
	s, isNew := r.share(e)
	memory = rowMemory
	if isNew {
		memory += sharedMemory
	}
	last := len(r.pieces) - 1
	if last < 0 || len(r.pieces[last]) == cap(r.pieces[last]) {
		r.pieces = append(r.pieces, make([]row, 0, 64<<min(last+1, 7)))
		last++
	}
	r.pieces[last] = append(r.pieces[last], row{e.Name, e.Digest, e.Size, e.Subject, s, e.foreign})
	r.n++
	r.memory += int64(memory)
	return memory
}

// share returns the fields that an entry shares with others, and reports whether it is the first.
func (r *rows) share(e *Entry) (s *shared, isNew bool) {
	key := sharedKey{e.MediaType, e.ArtifactType, e.Referrers, e.Platforms, nil, len(e.Repositories)}
	if key.repositories > 0 {
		key.first = &e.Repositories[0]
	}
	if s = r.shared[key]; s != nil {
		return s, false
	}
	s = &shared{e.MediaType, e.ArtifactType, e.Referrers, e.Platforms, e.Repositories}
	if r.shared == nil {
		r.shared = make(map[sharedKey]*shared)
	}
	if len(r.shared) < maxWords {
		r.shared[key] = s
	}
	return s, true
}

// entries returns the entries. It lets go of each row that it has copied.
func (r *rows) entries() []Entry {
	if r.n == 0 {
		return nil
	}
	all := make([]Entry, 0, r.n)
	for i, piece := range r.pieces {
		for _, e := range piece {
			s := e.shared
			all = append(all, Entry{s.mediaType, s.artifactType, e.digest, e.size, e.name, s.referrers, s.platforms, s.repositories, e.subject, e.foreign})
		}
		r.pieces[i] = nil
	}
	*r = rows{}
	return all
}
