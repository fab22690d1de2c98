package compact

import (
	"bytes"
	"encoding/hex"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// Map maps digests to small values, and accounts for their memory. A sha256 stands as
// its 32 bytes, which take a quarter of the memory of its text. It is not safe for concurrent
// use.
type Map[V any] struct {
	cost   int64 // the memory of a value, with its key and the room of the map
	sha256 map[[32]byte]V
	others map[digest.Digest]V
}

// NewMap returns an empty map. The cost is the memory of a value, with its key and the room of the map.
func NewMap[V any](cost int64) *Map[V] {
	return &Map[V]{cost: cost, sha256: make(map[[32]byte]V), others: make(map[digest.Digest]V)}
}

// Get returns the value of a digest.
func (m *Map[V]) Get(d digest.Digest) (v V, ok bool) {
	if sum, is := sha256Of(d); is {
		v, ok = m.sha256[sum]
		return v, ok
	}
	v, ok = m.others[d]
	return v, ok
}

// Set returns a *bounds.MemoryError if there is no memory for a new digest.
func (m *Map[V]) Set(d digest.Digest, v V) error {
	if _, known := m.Get(d); !known {
		if err := bounds.Take(m.cost); err != nil {
			return err
		}
	}
	if sum, is := sha256Of(d); is {
		m.sha256[sum] = v
	} else {
		m.others[d] = v
	}
	return nil
}

// Remove removes a digest that the map has.
func (m *Map[V]) Remove(d digest.Digest) {
	if sum, is := sha256Of(d); is {
		delete(m.sha256, sum)
	} else {
		delete(m.others, d)
	}
	bounds.Give(m.cost)
}

// All yields the digests and values in any order.
func (m *Map[V]) All() iter.Seq2[digest.Digest, V] {
	return func(yield func(digest.Digest, V) bool) {
		for sum, v := range m.sha256 {
			if !yield(digest.NewDigestFromBytes(digest.SHA256, sum[:]), v) {
				return
			}
		}
		for d, v := range m.others {
			if !yield(d, v) {
				return
			}
		}
	}
}

// Sorted returns the digests that the map has now, in order. They become texts one by one.
func (m *Map[V]) Sorted() iter.Seq[digest.Digest] {
	sums := slices.Collect(maps.Keys(m.sha256))
	slices.SortFunc(sums, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	others := slices.Sorted(maps.Keys(m.others)) // sha384 and sha512, which come later
	return func(yield func(digest.Digest) bool) {
		for _, sum := range sums {
			if !yield(digest.NewDigestFromBytes(digest.SHA256, sum[:])) {
				return
			}
		}
		for _, d := range others {
			if !yield(d) {
				return
			}
		}
	}
}

// Len returns the number of digests.
func (m *Map[V]) Len() int { return len(m.sha256) + len(m.others) }

// Release returns the memory. The receiver may be nil.
func (m *Map[V]) Release() {
	if m != nil {
		bounds.Give(m.cost * int64(m.Len()))
		clear(m.sha256)
		clear(m.others)
	}
}

// sha256Of returns the bytes of a sha256. Any other text is none: manifests of others may have
// what is no digest at all.
func sha256Of(d digest.Digest) (sum [32]byte, ok bool) {
	text, is := strings.CutPrefix(string(d), "sha256:")
	if !is || len(text) != hex.EncodedLen(len(sum)) || strings.ContainsAny(text, "ABCDEF") {
		return sum, false
	}
	_, err := hex.Decode(sum[:], []byte(text))
	return sum, err == nil
}
