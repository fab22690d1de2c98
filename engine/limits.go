package engine

import (
	"context"
	"fmt"
	"sync/atomic"
)

// What a registry can make a run do is bounded: it could nest manifests for ever.
const (
	// maxDepth bounds how deep indexes and referrers may nest. Real ones nest
	// three deep.
	maxDepth = 32
	// maxManifests bounds how many manifests hang on one artifact, whatever their
	// depth and breadth. Real ones have hundreds at most.
	maxManifests = 10_000
)

// LimitError says that an artifact has more of something than any real one.
type LimitError struct {
	What string // "manifests nest", ...
	Most int
}

func (e *LimitError) Error() string { return fmt.Sprintf("%s more than %d", e.What, e.Most) }

type walkKey struct{}

// walking is the context of a walk through one artifact, which counts what is
// begun on it.
func walking(ctx context.Context) context.Context {
	return context.WithValue(ctx, walkKey{}, new(atomic.Int64))
}

// steps counts manifests of a walk before anything is begun for them.
func steps(ctx context.Context, manifests int) error {
	n, ok := ctx.Value(walkKey{}).(*atomic.Int64)
	if ok && n.Add(int64(manifests)) > maxManifests {
		return &LimitError{What: "manifests of one artifact:", Most: maxManifests}
	}
	return nil
}
