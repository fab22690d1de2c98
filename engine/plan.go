package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/config"
)

// lookahead bounds how many artifacts are resolved before the first of them is
// taken, so that manifests that wait for their turn in an archive stay few.
const lookahead = 1024

// artifact is one root of a backup.
type artifact struct {
	ref       config.Reference
	name      string // in index.json
	origin    origin
	referrers bool
	root      ocispec.Descriptor
	visit     *visit
	err       error
	pending   int // blobs that are not there yet; guarded by the directory's mutex
	resolved  chan struct{}
}

// planner expands selections into artifacts and artifacts into graphs.
type planner struct {
	*graph
	sources  *sources
	progress Progress
	workers  int
	stored   func(name string) (ocispec.Descriptor, bool) // what the output calls by that name already
	all      []*artifact                                  // in the order of the plan; complete when each returns
}

// each resolves all artifacts of the selections side by side. taken hears of
// each, in the order of the plan if ordered, else as they come, from several
// goroutines. Its error ends the run; an artifact that fails does not.
func (p *planner) each(ctx context.Context, selections []config.Selection, ordered bool, taken func(*artifact) error) error {
	group, ctx := errgroup.WithContext(ctx)
	work := make(chan *artifact)
	order := make(chan *artifact, lookahead)
	group.Go(func() error {
		defer close(work)
		defer close(order)
		return p.expand(ctx, selections, func(a *artifact) error {
			if ordered {
				if err := send(ctx, order, a); err != nil {
					return err
				}
			}
			return send(ctx, work, a)
		})
	})
	for range p.workers {
		group.Go(func() error {
			for a := range work {
				p.resolve(ctx, a)
				if err := context.Cause(ctx); err != nil {
					return err
				}
				if ordered {
					continue
				}
				if err := taken(a); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error { return inOrder(ctx, order, taken) })
	return group.Wait()
}

func inOrder(ctx context.Context, order <-chan *artifact, taken func(*artifact) error) error {
	for a := range order {
		select {
		case <-a.resolved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
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

// resolve finds the root of an artifact and walks its graph.
func (p *planner) resolve(ctx context.Context, a *artifact) {
	defer close(a.resolved)
	if a.err != nil {
		return
	}
	var data []byte
	if a.root, data, a.err = p.root(ctx, a); a.err != nil {
		return
	}
	a.visit, a.err = p.visit(ctx, a.origin, a.referrers, a.root, data, 0)
	p.progress.Resolved(a.name)
}

// root asks for the root in the cheapest way: not at all for a digest that is
// stored, by a HEAD for a tag that is stored, else by one GET for descriptor
// and manifest.
func (p *planner) root(ctx context.Context, a *artifact) (ocispec.Descriptor, []byte, error) {
	old, stored := p.stored(a.name)
	if stored && a.ref.Digest == old.Digest {
		if data := p.known(old); data != nil {
			return old, data, nil
		}
	}
	if !stored {
		return a.origin.open(ctx, a.ref)
	}
	desc, err := a.origin.resolve(ctx, a.ref)
	if err != nil {
		return desc, nil, err
	}
	if desc.Digest == old.Digest {
		desc = old
	}
	return desc, nil, nil
}

// expand calls found for each artifact of the selections, in their order. The
// tags of the repositories are listed side by side, ahead of their turn.
func (p *planner) expand(ctx context.Context, selections []config.Selection, found func(*artifact) error) error {
	expansions := p.sources.expandAll(ctx, selections)
	seen := make(map[string]digest.Digest)
	for _, s := range selections {
		e := <-expansions
		if err := context.Cause(ctx); err != nil {
			return err
		}
		p.progress.Listed(len(e.refs))
		for _, ref := range e.refs {
			pin, met := seen[ref.EntryName()]
			if met && pin == ref.Digest {
				continue
			}
			seen[ref.EntryName()] = ref.Digest
			a := newArtifact(ref, s, e)
			p.all = append(p.all, a)
			if err := found(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func newArtifact(ref config.Reference, s config.Selection, e expansion) *artifact {
	return &artifact{ref: ref, name: ref.EntryName(), origin: e.origin, referrers: s.Referrers,
		err: e.err, resolved: make(chan struct{})}
}

// collisions remembers which source took which target.
type collisions struct {
	mapper *config.Mapper
	mu     sync.Mutex
	taken  map[string]claim
}

type claim struct {
	source string
	digest digest.Digest
}

// claim notes that the artifact goes where its name says, and where the
// mappings put it. The error is a *CollisionError.
func (c *collisions) claim(a *artifact) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.take(a.name, claim{a.ref.String(), a.root.Digest}); err != nil {
		return err
	}
	if c.mapper == nil {
		return nil
	}
	repository, tag, ok, err := c.mapper.Map(a.ref)
	if err != nil {
		return artifactError(a.ref, "map", err)
	}
	if !ok || tag == "" {
		return nil
	}
	return c.take("TARGET/"+repository+":"+tag, claim{a.ref.String(), a.root.Digest})
}

func (c *collisions) take(target string, by claim) error {
	if c.taken == nil {
		c.taken = make(map[string]claim)
	}
	other, met := c.taken[target]
	if met && other.digest != by.digest {
		return &CollisionError{Target: target, Sources: [2]string{other.source, by.source}}
	}
	c.taken[target] = by
	return nil
}

// isFatal tells an error of the run from one of an artifact.
func isFatal(err error) bool {
	var collision *CollisionError
	var space *SpaceError
	var written *writeError
	return errors.As(err, &collision) || errors.As(err, &space) || errors.As(err, &written) ||
		errors.Is(err, context.Canceled)
}

// writeError is a failure of the output, which no other artifact would escape.
type writeError struct{ error }

func (e *writeError) Unwrap() error { return e.error }

func written(err error) error {
	if err == nil {
		return nil
	}
	return &writeError{err}
}
