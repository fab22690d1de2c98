package shard

import (
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// sum adds the sizes of the source repositories that are placed by one name.
func (s *Shard) sum(sizes []lockfile.Repository) map[string]int64 {
	all := make(map[string]int64, len(sizes))
	for _, r := range sizes {
		name := s.sourceName(r.Repository)
		all[name] = bounds.Sum(all[name], r.Size)
	}
	return all
}

// balance gives the largest first to the emptiest shard. Ties go by name, and to the first
// shard. The largest shard then exceeds the mean by at most (1 - 1/count) times the largest
// size: when it got its last one it was the emptiest (Graham, "Bounds on Multiprocessing
// Timing Anomalies", 1969).
func balance(count int, sizes map[string]int64) map[string]int {
	names := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[b], sizes[a]), strings.Compare(a, b))
	})
	shards := make(emptiest, min(count, len(names))) // sorted, and so a heap
	for i := range shards {
		shards[i].index = i
	}
	placed := make(map[string]int, len(names))
	for _, name := range names {
		to := &shards[0]
		placed[name] = to.index
		to.size = bounds.Sum(to.size, sizes[name])
		heap.Fix(&shards, 0)
	}
	return placed
}

// filling is the size of the repositories in a shard.
type filling struct {
	index int
	size  int64
}

// emptiest is a heap of shards. The one with the fewest bytes is first.
type emptiest []filling

func (e emptiest) Len() int { return len(e) }

func (e emptiest) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(e[i].size, e[j].size), cmp.Compare(e[i].index, e[j].index)) < 0
}

func (e emptiest) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push is never called: there are as many shards at the end as at the start.
func (e *emptiest) Push(one any) { *e = append(*e, one.(filling)) }

// Pop is never called.
func (e *emptiest) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// hashed places a name by the first 8 bytes of its sha256, by jump consistent hashing
// (Lamping, Veach, arXiv:1406.2294): of N+1 shards the last gets one name of N+1 from all
// others, and no other name moves.
func hashed(name string, count int) int {
	sum := sha256.Sum256([]byte(name))
	key := binary.BigEndian.Uint64(sum[:])
	index := int64(0)
	for next := int64(0); next < int64(count); {
		index = next
		key = key*2862933555777941757 + 1
		next = int64(float64(index+1) * (float64(1<<31) / float64(key>>33+1)))
	}
	return int(index)
}
