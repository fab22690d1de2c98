package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// lookahead bounds how many artifacts are resolved before the first of them is
// taken, so that manifests that wait for their turn in an archive stay few.
const lookahead = 1024

// artifact is one root of a plan.
type artifact struct {
	number   int // its place in the plan
	ref      config.Reference
	name     string // in index.json
	origin   origin
	scope    *scope
	root     descriptor
	visit    *visit
	err      error
	together *siblings // the roots that were listed with this one
	layout   string    // the one on disk that it comes from; "" for a registry
	from     string    // where it was asked for: the place in a spec, an argument
	found    []byte    // the root's bytes, between its two stages
	leads    bool      // and whether they refer to another manifest

	lacks    []config.Platform // wanted ones that an index has no image for
	resolved chan struct{}     // closed when the graph is known; nil once that was seen
}

// planner expands selections into artifacts and artifacts into graphs.
type planner struct {
	*graph
	selections []config.Selection
	sources    *sources
	progress   Progress
	workers    int
	only       func(layout, reference string) bool // of what a layout on disk holds, what is wanted; nil: all
	all        []*artifact                         // in the order of the plan; complete when each returns
	listed     bool                                // all of them: each did not end before
	absent     []string                            // repositories that may be missing, and are
}

// newPlanner plans some selections, for an output that the options of the graph
// describe. It opens the layouts among the sources.
func newPlanner(c *registry.Client, selections []config.Selection, o BackupOptions, output graphOptions) *planner {
	s := newSources(c, o.Concurrency)
	output.Near, output.Notice = s.openLayouts(selections), o.Progress.Notice
	return &planner{graph: newGraph(output), selections: selections, sources: s, progress: o.Progress, workers: 2 * o.Concurrency, only: o.Only}
}

// newest says by which order the newest tags were found, by repository.
func (p *planner) newest() []Newest { return p.sources.newestTags() }

// expandNames lists the names of the artifacts, and resolves none.
func (p *planner) expandNames(ctx context.Context) error {
	p.sources.namesOnly = true
	return p.expand(ctx, func(*artifact) error { return nil })
}

// close closes the layouts among the sources.
func (p *planner) close() error { return p.sources.close() }

// each resolves all artifacts of the selections side by side. It calls taken for
// each, in the order of the plan if ordered, else as they come, from several
// goroutines. Its error ends the run; an artifact that fails does not.
func (p *planner) each(ctx context.Context, ordered bool, taken func(*artifact) error) error {
	group, ctx := errgroup.WithContext(ctx)
	order := make(chan *artifact, lookahead)
	listed := make(chan *artifact)
	rooted := make(chan *artifact, lookahead) // so that no root waits for a graph that waits for it
	group.Go(func() error {
		defer close(listed)
		defer close(order)
		return p.expand(ctx, func(a *artifact) error {
			if ordered {
				if err := send(ctx, order, a); err != nil {
					return err
				}
			}
			return send(ctx, listed, a)
		})
	})
	group.Go(func() error {
		defer close(rooted)
		return p.work(ctx, listed, func(a *artifact) error {
			p.findRoot(ctx, a)
			return send(ctx, rooted, a)
		})
	})
	group.Go(func() error {
		return p.work(ctx, rooted, func(a *artifact) error {
			p.walk(ctx, a)
			close(a.resolved)
			if err := context.Cause(ctx); err != nil || ordered {
				return err
			}
			a.resolved = nil
			return taken(a)
		})
	})
	group.Go(func() error { return inOrder(ctx, order, taken) })
	if err := group.Wait(); err != nil {
		return err
	}
	p.tellPlatforms()
	return nil
}

// work does a stage of the plan for each artifact, a few at a time.
func (p *planner) work(ctx context.Context, in <-chan *artifact, stage func(*artifact) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for range p.workers {
		group.Go(func() error {
			for a := range in {
				if err := stage(a); err != nil {
					return err
				}
				if err := context.Cause(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func inOrder(ctx context.Context, order <-chan *artifact, taken func(*artifact) error) error {
	for a := range order {
		select {
		case <-a.resolved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		a.resolved = nil
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := taken(a); err != nil {
			return err
		}
	}
	return nil
}

func send(ctx context.Context, to chan<- *artifact, a *artifact) error {
	select {
	case to <- a:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// maxFound is the largest root whose bytes are handed on: they are asked for seldom,
// and 2,000 artifacts may wait for their turn.
const maxFound = 16 << 10

// findRoot resolves the name of an artifact.
func (p *planner) findRoot(ctx context.Context, a *artifact) {
	defer a.together.done()
	if a.err != nil {
		return
	}
	var data []byte
	if a.root, data, a.leads, a.err = p.root(ctx, a.origin, a.ref); len(data) <= maxFound {
		a.found = data
	}
}

// walk finds out what an artifact consists of.
func (p *planner) walk(ctx context.Context, a *artifact) {
	if a.err != nil {
		return
	}
	if a.leads || store.IsIndex(a.root.mediaType) {
		a.together.wait(ctx)
	}
	a.visit, a.err = p.tour(ctx, a.origin, a.scope, a.root.oci(), a.found)
	a.found = nil
	if a.err == nil {
		a.root = a.visit.node.descriptor
		if len(a.scope.platforms) > 0 && a.visit.node.index {
			a.err = a.findPlatforms()
		}
		if !a.visit.node.known {
			p.progress.Notice(asBytes(a.name, a.root.mediaType))
		}
	}
	p.progress.Resolved()
}

// findPlatforms notes which of the wanted platforms an index has not. It is a
// *PlatformError if it has none of them.
func (a *artifact) findPlatforms() error {
	missing, sound := a.scope.platformsOf(a.visit)
	if sound {
		a.lacks = missing
		return nil
	}
	var children []ocispec.Descriptor
	a.visit.core(func(v *visit) { children = append(children, v.node.children...) })
	return &PlatformError{Reference: a.ref.String(), Wanted: a.scope.platforms, Have: platformsIn(children)}
}

// tellPlatforms says which platforms some indexes have not.
func (p *planner) tellPlatforms() {
	count := make(map[string]int)
	first := make(map[string]string)
	for _, a := range p.all {
		for _, platform := range a.lacks {
			name := platform.String()
			if count[name]++; count[name] == 1 {
				first[name] = a.name
			}
		}
	}
	for _, platform := range slices.Sorted(maps.Keys(count)) {
		text := first[platform] + " has no image for " + platform
		if more := count[platform] - 1; more > 0 {
			text += fmt.Sprintf(", and neither have %d others", more)
		}
		p.progress.Notice(text)
	}
}
