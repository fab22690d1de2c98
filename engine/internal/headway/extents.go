package headway

import (
	"slices"
)

// extents are parts of a blob, sorted, with something between any two.
type extents []extent

type extent struct{ from, to int64 }

// add adds a part, up to the end of the blob, and returns the number of bytes that are new.
func (e *extents) add(off, n, size int64) int64 {
	one := extent{off, min(off+n, size)}
	if one.from >= one.to {
		return 0
	}
	first, _ := slices.BinarySearchFunc(*e, one.from, func(x extent, from int64) int {
		if x.to < from {
			return -1
		}
		return 1
	})
	last, met := first, int64(0)
	for ; last < len(*e) && (*e)[last].from <= one.to; last++ {
		x := (*e)[last]
		met += max(0, min(x.to, one.to)-max(x.from, one.from))
	}
	added := one.to - one.from - met
	if last > first {
		one = extent{min(one.from, (*e)[first].from), max(one.to, (*e)[last-1].to)}
	}
	*e = slices.Replace(*e, first, last, one)
	return added
}

// size returns the sum of their bytes.
func (e extents) size() int64 {
	n := int64(0)
	for _, x := range e {
		n += x.to - x.from
	}
	return n
}
