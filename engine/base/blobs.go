package base

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// blobs is a set of blobs, each with the repositories that have it. It is compact: 100,000
// artifacts have half a million blobs. The zero value is empty.
type blobs struct {
	mu           sync.Mutex        // guards what follows
	homesOf      map[blobKey]int32 // the number of a set of repositories
	repositories []string
	numbers      map[string]int32 // of the repositories
	sets         [][]int32        // of repositories, sorted; the first is empty
	known        map[string]int32 // the numbers of the sets
	wider        map[[2]int32]int32
}

// blobKey identifies a blob by its digest and size, in 16 bytes of a hash of both.
type blobKey [16]byte

func keyOf(d content.Descriptor) (key blobKey) {
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte(d.Digest), uint64(d.Size)))
	copy(key[:], sum[:])
	return key
}

// The memory of a blob in the set, and the most repositories that are kept for one: a blob of
// more is in so many that one of them is likely to need it.
const (
	keyMemory = 48
	mostHomes = 32
)

// number returns the number of a repository; that of "" stands for no known one.
func (s *blobs) number(repository string) int32 {
	if repository == "" {
		return -1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, met := s.numbers[repository]
	if !met {
		if s.numbers == nil {
			s.numbers = make(map[string]int32)
		}
		n = int32(len(s.repositories))
		s.numbers[repository], s.repositories = n, append(s.repositories, repository)
	}
	return n
}

// add adds a blob that a repository has.
func (s *blobs) add(d content.Descriptor, repository int32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.homesOf == nil {
		s.homesOf, s.sets, s.wider = make(map[blobKey]int32), [][]int32{nil}, make(map[[2]int32]int32)
		s.known = make(map[string]int32)
	}
	key := keyOf(d)
	set, met := s.homesOf[key]
	if !met {
		if err := bounds.Take(keyMemory); err != nil {
			return err
		}
	}
	s.homesOf[key] = s.widen(set, repository)
	return nil
}

// widen returns the number of a set with one more repository.
func (s *blobs) widen(set, repository int32) int32 {
	old := s.sets[set]
	at, has := slices.BinarySearch(old, repository)
	if repository < 0 || has || len(old) == mostHomes {
		return set
	}
	step := [2]int32{set, repository}
	n, met := s.wider[step]
	if !met {
		n = s.find(slices.Insert(slices.Clone(old), at, repository))
		s.wider[step] = n
	}
	return n
}

// find returns the number of a set, which it adds if it is new.
func (s *blobs) find(set []int32) int32 {
	key := fmt.Sprint(set)
	n, met := s.known[key]
	if met {
		return n
	}
	n = int32(len(s.sets))
	s.sets, s.known[key] = append(s.sets, set), n
	return n
}

// homes returns the repositories that have a blob, in the order of their names; ok is false if
// none is known to have it.
func (s *blobs) homes(d content.Descriptor) (repositories []string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set, ok := s.homesOf[keyOf(d)]
	if !ok {
		return nil, false
	}
	for _, n := range s.sets[set] {
		repositories = append(repositories, s.repositories[n])
	}
	slices.Sort(repositories)
	return repositories, true
}
