// Package plan turns selections into artifacts: it lists repositories and tags, resolves
// each reference, and walks its graph of manifests. A backup takes the artifacts as they
// come; [Resolve] stops at the digests.
package plan

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Planner expands selections into artifacts and artifacts into graphs.
type Planner struct {
	*graph.Graph
	selections []config.Selection
	sources    *sources
	progress   engine.Progress
	workers    int
	only       func(layout, reference string) bool // selects artifacts of layouts on disk; nil: all
	shard      *shard.Shard                        // the part of the plan; nil: all of it
	trust      engine.Trust                        // checks signatures; nil: none are needed
	All        []*Artifact                         // in the order of the plan; complete when Each returns
	Listed     bool                                // All is complete: Each did not end early
	Divided    []config.Reference                  // with a shard: the repositories of all shards
	Absent     []string                            // optional repositories that do not exist
}

// New returns a Planner of some selections, for an output that the options of the graph
// describe. It opens the layouts among the sources.
func New(c *registry.Client, selections []config.Selection, o engine.BackupOptions, output graph.Options) *Planner {
	s := newSources(c, selections, o)
	output.Near, output.Notice = s.openLayouts(selections), o.Progress.Notice
	return &Planner{Graph: graph.New(output), selections: selections, sources: s, progress: o.Progress, workers: 2 * o.Concurrency, only: o.Only, shard: o.Shard, trust: o.Trust}
}

// Newest returns the order by which the newest tags were found, by repository.
func (p *Planner) Newest() []engine.Newest { return p.sources.newestTags() }

// ExpandNames lists the names of the artifacts, and resolves none.
func (p *Planner) ExpandNames(ctx context.Context) error {
	p.sources.namesOnly = true
	return p.expand(ctx, func(*Artifact) error { return nil })
}

// Close closes the layouts among the sources.
func (p *Planner) Close() error { return p.sources.close() }

// Each resolves all artifacts of the selections side by side. It calls yield for each as they
// come, from several goroutines. Its error ends the run; an artifact that fails does not.
func (p *Planner) Each(ctx context.Context, yield func(*Artifact) error) error {
	return p.resolveAll(ctx, &stages{planner: p, yield: yield})
}

// EachInOrder does the same in the order of the plan, from one goroutine.
func (p *Planner) EachInOrder(ctx context.Context, yield func(*Artifact) error) error {
	return p.resolveAll(ctx, &stages{planner: p, yield: yield, order: make(chan *Artifact, lookahead)})
}

func (p *Planner) resolveAll(ctx context.Context, s *stages) error {
	s.listed = make(chan *Artifact)
	s.rooted = make(chan *Artifact, lookahead) // so that no root waits for a graph that waits for it
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.list(ctx) })
	group.Go(func() error { return s.findRoots(ctx) })
	group.Go(func() error { return s.walk(ctx) })
	if s.order != nil {
		group.Go(func() error { return inOrder(ctx, s.order, s.yield) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	p.tellPlatforms()
	return nil
}

// stages resolves artifacts in stages. Each stage passes them on to the next.
type stages struct {
	planner        *Planner
	listed, rooted chan *Artifact
	order          chan *Artifact // the artifacts to yield in their order; nil yields them as they come
	yield          func(*Artifact) error
}

// list expands the selections.
func (s *stages) list(ctx context.Context) error {
	defer close(s.listed)
	if s.order != nil {
		defer close(s.order)
	}
	return s.planner.expand(ctx, func(a *Artifact) error {
		if s.order != nil {
			if err := send(ctx, s.order, a); err != nil {
				return err
			}
		}
		return send(ctx, s.listed, a)
	})
}

// findRoots resolves the references.
func (s *stages) findRoots(ctx context.Context) error {
	defer close(s.rooted)
	return s.planner.work(ctx, s.listed, func(a *Artifact) error {
		s.planner.findRoot(ctx, a)
		return send(ctx, s.rooted, a)
	})
}

// walk completes the graphs.
func (s *stages) walk(ctx context.Context) error {
	return s.planner.work(ctx, s.rooted, func(a *Artifact) error {
		s.planner.walk(ctx, a)
		close(a.resolved)
		if err := context.Cause(ctx); err != nil || s.order != nil {
			return err
		}
		a.resolved = nil
		return s.yield(a)
	})
}

// work runs a stage of the plan for each artifact, a few at a time.
func (p *Planner) work(ctx context.Context, in <-chan *Artifact, stage func(*Artifact) error) error {
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

func inOrder(ctx context.Context, order <-chan *Artifact, yield func(*Artifact) error) error {
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
		if err := yield(a); err != nil {
			return err
		}
	}
	return nil
}

func send(ctx context.Context, to chan<- *Artifact, a *Artifact) error {
	select {
	case to <- a:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// maxFound bounds the bytes of a root that are kept for the next stage: few roots have bytes
// to keep, but 2,000 artifacts may wait for their turn.
const maxFound = 16 << 10

// findRoot resolves the name of an artifact.
func (p *Planner) findRoot(ctx context.Context, a *Artifact) {
	defer a.together.done()
	if a.Err != nil {
		return
	}
	var data []byte
	if a.Root, data, a.leads, a.Err = p.Root(ctx, a.origin, a.Ref); len(data) <= maxFound {
		a.found = data
	}
}

// walk reads the graph of an artifact.
func (p *Planner) walk(ctx context.Context, a *Artifact) {
	if a.Err != nil {
		return
	}
	if a.leads || oci.IsIndex(a.Root.MediaType) {
		a.together.wait(ctx)
	}
	a.Visit, a.Err = p.Walk(ctx, a.origin, a.Scope, a.Root.OCI(), a.found)
	a.found = nil
	if a.Err == nil {
		a.Root = a.Visit.Node.Descriptor
		p.checkSignatures(ctx, a)
	}
	if a.Err == nil {
		if len(a.Scope.Platforms) > 0 && a.Visit.Node.Index {
			a.Err = a.findPlatforms()
		}
		if !a.Visit.Node.Known {
			p.progress.Notice(graph.UnknownTypeNotice(a.Name, a.Root.MediaType))
		}
	}
	p.progress.Resolved()
}

// tellPlatforms tells which wanted platforms some indexes lack.
func (p *Planner) tellPlatforms() {
	var s Shortage
	for _, a := range p.All {
		s.Add(a.Name, a.lacks)
	}
	s.Tell(p.progress.Notice)
}
