package headway

import (
	"math/rand/v2"
	"testing"
)

// TestExtentsCountEachByteOnce holds them to a set of bytes.
func TestExtentsCountEachByteOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		size := 1 + random.Int64N(40)
		var e extents
		seen := make(map[int64]bool)
		for range 30 {
			off, n := random.Int64N(size+3), random.Int64N(size+5)
			want := int64(0)
			for at := off; at < min(off+n, size); at++ {
				if !seen[at] {
					seen[at] = true
					want++
				}
			}
			if got := e.add(off, n, size); got != want {
				t.Fatalf("%d bytes at %d of %d: %d are new, want %d; %v", n, off, size, got, want, e)
			}
			for i := 1; i < len(e); i++ {
				if e[i-1].to >= e[i].from {
					t.Fatalf("the parts are %v", e)
				}
			}
		}
	}
}
