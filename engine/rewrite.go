package engine

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store"
)

// rewrite replaces a sparse index by one that names only the children that are there,
// for registries that refuse the sparse one. It has another digest: referrers of the old
// one, signatures among them, do not hold for it and are skipped.
func (s *survey) rewrite(ctx context.Context, d *delivery) error {
	shrinker := newShrinker(func(v *visit) ([]byte, error) { return manifestBytes(ctx, s.source, v) })
	v, err := shrinker.shrink(d.visit)
	if err != nil {
		return err
	}
	d.visit.core(func(v *visit) {
		if v.isSparse() {
			d.old = append(d.old, v.node.digest)
		}
	})
	d.visit, d.root = v, v.node.descriptor
	text := fmt.Sprintf("%s: its index is rewritten as %s; signatures of the index no longer hold", d.name, d.root.digest)
	if shrinker.lost > 0 {
		text += "; skipped: " + quantity(shrinker.lost, "referrer")
	}
	s.progress.Notice(text)
	return nil
}

// Written tells, by entry name, the digest that each entry of a layout gets in a
// target with platformMode: rewrite, where that is another than its own.
func Written(ctx context.Context, in store.Layout) (map[string]digest.Digest, error) {
	s := newLayoutSource(in, func(string) {})
	all, g := make(map[string]digest.Digest), newGraph(graphOptions{})
	for _, root := range s.roots {
		if root.fault != nil {
			continue
		}
		platforms, err := parsePlatforms(root.entry.Platforms)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", root.entry.Name, err)
		}
		d, err := g.written(ctx, s.origin, platforms, root.entry.Descriptor())
		if err != nil {
			return nil, err
		}
		if d != root.entry.Digest {
			all[root.entry.Name] = d
		}
	}
	return all, nil
}

// quantity writes a number of things.
func quantity(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
