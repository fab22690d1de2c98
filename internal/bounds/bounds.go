// Package bounds limits what a registry or a file can make a program do: the depth and
// the breadth of a graph, the number of values in a JSON document, and the memory of
// everything that is kept. Backup, restore, verify, list and prune have the same limits,
// so that each accepts what the others accept.
package bounds

import (
	"fmt"
	"math"
)

const (
	// Depth bounds the nesting of indexes and referrers. Real ones have three levels.
	Depth = 32
	// Manifests bounds the manifests of one artifact, at any depth. Real ones have
	// hundreds at most.
	Manifests = 10_000
	// Values bounds the values of one manifest or list. An index of 10,000 children
	// has fifteen for each; 3 bytes of text may take 120 when decoded.
	Values = 300_000
)

// Error is the error for exceeding a limit that nothing real exceeds.
type Error struct {
	What string // "levels of manifests:", ...
	Most int    // the limit
}

func (e *Error) Error() string { return fmt.Sprintf("%s more than %d", e.What, e.Most) }

// TooDeep and TooBroad are the errors for graphs.
var (
	TooDeep  = &Error{What: "levels of manifests:", Most: Depth}
	TooBroad = &Error{What: "manifests of one artifact:", Most: Manifests}
)

// Sum adds two sizes. A registry may claim any size: a sum that overflows is
// math.MaxInt64.
func Sum(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
