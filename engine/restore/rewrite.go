package restore

import (
	"context"
	"fmt"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
)

// rewrite replaces a sparse index by one that names only the children that are there,
// for registries that refuse the sparse one. It has another digest: referrers of the old
// one, signatures among them, do not hold for it and are skipped.
func (s *survey) rewrite(ctx context.Context, d *delivery) error {
	shrinker := graph.NewShrinker(func(v *graph.Visit) ([]byte, error) { return manifestBytes(ctx, s.source, v) })
	v, err := shrinker.Shrink(d.visit)
	if err != nil {
		return err
	}
	d.visit.Core(func(v *graph.Visit) {
		if v.IsSparse() {
			d.old = append(d.old, v.Node.Digest)
		}
	})
	d.visit, d.Root = v, v.Node.Descriptor
	text := fmt.Sprintf("%s: the index was rewritten as %s; its signatures are no longer valid", d.Name, d.Root.Digest)
	if shrinker.Lost > 0 {
		text += "; skipped: " + quantity(shrinker.Lost, "referrer")
	}
	s.progress.Notice(text)
	return nil
}

// quantity writes a number of things.
func quantity(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
