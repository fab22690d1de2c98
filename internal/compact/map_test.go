package compact

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

func TestDigestMap(t *testing.T) {
	m := NewMap[int](10)
	all := []digest.Digest{digest.FromString("a"), digest.FromString("b"), digest.SHA512.FromString("c"), "no digest", "sha256:ABC", "sha256:" + digest.Digest(digest.SHA512.FromString("d").Encoded())}
	bounds.SetMemory(10*int64(len(all)), nil)
	defer bounds.SetMemory(0, nil)
	for i, d := range all {
		if err := errors.Join(m.Set(d, 0), m.Set(d, i+1)); err != nil { // the second takes no memory
			t.Fatal(err)
		}
	}
	for i, d := range all {
		if n, ok := m.Get(d); !ok || n != i+1 {
			t.Errorf("%s: %d, %v", d, n, ok)
		}
	}
	var full *bounds.MemoryError
	if err := m.Set(digest.FromString("more"), 1); !errors.As(err, &full) {
		t.Error("no limit of memory:", err)
	}
	if got := slices.Sorted(maps.Keys(maps.Collect(m.All()))); !slices.Equal(got, slices.Sorted(slices.Values(all))) {
		t.Errorf("all: %v", got)
	}
	if got := slices.Collect(m.Sorted()); len(got) != len(all) || got[0] > got[1] {
		t.Errorf("sorted: %v", got)
	}
	m.Remove(all[0])
	if err := m.Set(digest.FromString("more"), 1); err != nil {
		t.Error("what was removed takes memory:", err)
	}
	m.Release()
	if err := bounds.Take(10 * int64(len(all))); err != nil {
		t.Error("what was released takes memory:", err)
	}
}
