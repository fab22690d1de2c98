package source

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/store"
)

// Rewritten returns, by entry name, the digest that each entry of a layout gets in a target with
// platformMode: rewrite, if that differs from its own.
func Rewritten(ctx context.Context, in store.Layout) (map[string]digest.Digest, error) {
	s := newLayout(in, func(string) {})
	all, g := make(map[string]digest.Digest), graph.New(graph.Options{})
	for _, root := range s.roots {
		if root.Fault != nil {
			continue
		}
		platforms, err := scope.ParsePlatforms(root.Entry.Platforms)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", root.Entry.Name, err)
		}
		d, err := g.Rewritten(ctx, s.origin, platforms, root.Entry.Descriptor())
		if err != nil {
			return nil, err
		}
		if d != root.Entry.Digest {
			all[root.Entry.Name] = d
		}
	}
	return all, nil
}
