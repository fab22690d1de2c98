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

// walking is the context of a walk through one artifact, which counts its steps.
func walking(ctx context.Context) context.Context {
	return context.WithValue(ctx, walkKey{}, new(atomic.Int64))
}

// step counts one manifest of a walk. Those that another artifact has met
// before cost nothing and do not count.
func step(ctx context.Context) error {
	n, ok := ctx.Value(walkKey{}).(*atomic.Int64)
	if ok && n.Add(1) > maxManifests {
		return &LimitError{What: "manifests of one artifact:", Most: maxManifests}
	}
	return nil
}

// checkBreadth refuses a manifest that names more than one artifact may have:
// before anything is begun for each of them.
func checkBreadth(named int) error {
	if named > maxManifests {
		return &LimitError{What: "manifests in one list:", Most: maxManifests}
	}
	return nil
}
