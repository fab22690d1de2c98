package engine

import (
	"context"
	"sync/atomic"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// leastBuffer is the share of the buffer for content on its way, however much is planned.
const leastBuffer = 8 << 20

// abreast bounds how many children of one manifest, or referrers, are walked at a time: an
// index of 10,000 would have as many stacks of goroutines. What is walked may wait for
// what others have begun to walk, never for what has not begun.
const abreast = 64

type walkKey struct{}

// walking is the context of a walk through one artifact, which counts what is
// begun on it.
func walking(ctx context.Context) context.Context {
	return context.WithValue(ctx, walkKey{}, new(atomic.Int64))
}

// steps counts manifests of a walk before anything is begun for them.
func steps(ctx context.Context, manifests int) error {
	n, ok := ctx.Value(walkKey{}).(*atomic.Int64)
	if ok && n.Add(int64(manifests)) > bounds.Manifests {
		return bounds.TooBroad
	}
	return nil
}
