// Package bounds bounds what a registry or a file can make a run do: how deep and
// how broad a graph may be, how many values one document may have, and how much
// memory all that is kept may take. Backup, restore, verify, list and prune have
// the same bounds, so that what one of them takes the others take, too.
package bounds

import (
	"fmt"
	"math"
)

const (
	// Depth bounds how deep indexes and referrers may nest. Real ones nest three
	// deep.
	Depth = 32
	// Manifests bounds how many manifests hang on one artifact, whatever their
	// depth and breadth. Real ones have hundreds at most.
	Manifests = 10_000
	// Values bounds the values of one manifest or list. An index of 10,000
	// children has fifteen for each; decoded, 3 bytes of text may take 120.
	Values = 300_000
)

// Error says that there is more of something than in anything real.
type Error struct {
	What string // "levels of manifests:", ...
	Most int
}

func (e *Error) Error() string { return fmt.Sprintf("%s more than %d", e.What, e.Most) }

// TooDeep, TooBroad are the errors for graphs.
var (
	TooDeep  = &Error{What: "levels of manifests:", Most: Depth}
	TooBroad = &Error{What: "manifests of one artifact:", Most: Manifests}
)

// Sum adds two sizes. What a registry says of sizes may be anything: where their sum
// does not fit it is as much as does.
func Sum(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
