package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// planSource is a plan over registries and layouts whose names are resolved.
type planSource struct {
	engine.SyncOptions
	planner *plan.Planner
	all     []origin.Root
	roots   []origin.Root                  // those of all that are copied now
	origins map[*scope.Scope]origin.Origin // of each scope: every selection has one of its own
	from    map[string]string              // where references were found, by name; only those with a place
	memory  *memory
	listed  int           // artifacts that were reported to the progress
	lacks   plan.Shortage // of platforms

	faults sync.Map // why a blob could not be read, by its content.Key

	mu     sync.Mutex // guards landed
	landed map[landing]string
}

var _ source.Distant = (*planSource)(nil)

// Close closes the layouts among the sources.
func (s *planSource) Close() error { return s.planner.Close() }

// options returns the options of the restores.
func (s *planSource) options() engine.RestoreOptions {
	o := s.RestoreOptions
	o.Progress = &relisting{Progress: s.Progress, before: s.listed}
	return o
}

// checkMappings looks for mappings of the run that match no repository of any shard. Without a
// shard the routes do that.
func (s *planSource) checkMappings() error {
	if s.Shard == nil {
		return nil
	}
	added, _ := s.Mapper.Unmatched(s.planner.Divided)
	var errs []error
	for _, mapping := range added {
		errs = append(errs, &engine.UnmatchedError{Mapping: mapping})
	}
	return errors.Join(errs...)
}

// claim makes the artifacts of the plan roots. Two of one name and different digests are
// an error.
func (s *planSource) claim() error {
	claims := plan.NewCollisions(nil)
	s.all = make([]origin.Root, len(s.planner.All))
	entries := make([]oci.Entry, len(s.all))
	for i, a := range s.planner.All {
		if a.Err == nil {
			if err := claims.Claim(a); err != nil {
				return err
			}
		}
		entries[i] = oci.Entry{Name: a.Name, MediaType: a.Root.MediaType, Digest: a.Root.Digest, Size: a.Root.Size}
		s.all[i] = origin.Root{Entry: &entries[i], Ref: a.Ref, Fault: a.Err, Layout: a.Layout, Mirror: a.Mirror(), Found: a.From, Scope: a.Scope}
		s.origins[a.Scope] = a.Origin()
		if a.From != "" {
			s.from[a.Name] = a.From
		}
	}
	s.planner.All, s.roots = nil, s.all
	return nil
}

func (s *planSource) Roots() []origin.Root { return s.roots }

func (s *planSource) Family(desc ocispec.Descriptor) []digest.Digest {
	return []digest.Digest{desc.Digest}
}

func (s *planSource) Walk(ctx context.Context, _ string, root content.Descriptor, sc *scope.Scope) (*graph.Visit, error) {
	from := s.origins[sc]
	v, err := s.planner.Walk(ctx, from, sc, root.OCI(), nil)
	if err != nil || len(sc.Platforms) == 0 || !v.Node.Index {
		return v, err
	}
	name := from.Repository() + "@" + root.Digest.String()
	missing, sound := v.MissingPlatforms(sc.Platforms)
	if sound {
		s.lacks.Add(name, missing)
		return v, nil
	}
	var children []ocispec.Descriptor
	v.Core(func(v *graph.Visit) { children = append(children, v.Node.Children...) })
	return v, &engine.PlatformError{Reference: name, Wanted: sc.Platforms, Have: scope.PlatformsIn(children)}
}

func (s *planSource) Children(ctx context.Context, root content.Descriptor, sc *scope.Scope) ([]ocispec.Descriptor, error) {
	return s.planner.Children(ctx, s.origins[sc], sc, root.OCI())
}

func (s *planSource) Manifest(ctx context.Context, root content.Descriptor, sc *scope.Scope) ([]byte, error) {
	return s.origins[sc].Manifest(ctx, root.OCI())
}

func (s *planSource) Fault(err error) error { return err }

func (s *planSource) Certain(v *graph.Visit) []*graph.Blob { return v.Blobs() }

func (s *planSource) Revised() source.Source { return nil }

func (s *planSource) Homes(registry string, b content.Descriptor) []string {
	paths := s.landedIn(registry, b)
	for _, r := range s.planner.RemotesOf(b, registry) {
		paths = append(paths, r.Path())
	}
	return paths
}

func (s *planSource) SignedBy(ctx context.Context, root *graph.Visit, sc *scope.Scope) ([]string, error) {
	if !sc.HasPolicy() {
		return nil, nil
	}
	return s.planner.SignedBy(ctx, sc, root)
}

// Lacks also looks for the referrers that a lock pins.
func (s *planSource) Lacks(root *graph.Visit, sc *scope.Scope) error {
	var found []digest.Digest
	if err := root.Referring(func(r *graph.Visit, _ string) { found = append(found, r.Node.Digest) }); err != nil {
		return err
	}
	for _, d := range sc.Digests {
		if !slices.Contains(found, d) {
			return fmt.Errorf("%s@%s: the referrer is gone: %w", root.Origin.Repository(), d, errdef.ErrNotFound)
		}
	}
	return nil
}

// Blame returns the error of reading the blob if that is why its upload failed.
func (s *planSource) Blame(b content.Descriptor, refusal error) error {
	fault, ok := s.faults.Load(b.Key())
	if err, _ := fault.(error); ok && errors.Is(refusal, err) { // else it is of an earlier attempt
		return err
	}
	return refusal
}

func (s *planSource) Blobs(_ context.Context, wanted []content.Descriptor, to source.Sink) error {
	if err := to.Start(); err != nil {
		return err
	}
	for _, b := range wanted {
		c := s.Content(b)
		done := func() {}
		if h, is := c.(*held); is {
			done = h.retire
		}
		to.Queue(b, c, done)
	}
	return nil
}

// Content returns a small blob as one that is held, and a large one as a stream.
func (s *planSource) Content(d content.Descriptor) source.Content {
	b := s.planner.Find(d)
	if s.isHeld(b) {
		return &held{source: s, blob: b}
	}
	return &stream{source: s, blob: b}
}

// isHeld reports whether a blob is held in memory: one of up to a quarter of the buffer, or
// one that is in memory anyway.
func (s *planSource) isHeld(b *graph.Blob) bool {
	return b.Size <= s.memory.capacity/4 || s.planner.IsInline(b)
}

func (s *planSource) Fetches(d content.Descriptor) (requests int, shared bool) {
	b := s.planner.Find(d)
	switch {
	case b.Size == 0 || s.planner.IsNear(b):
		return 0, true
	case s.isHeld(b):
		return 1, true
	}
	return s.memory.pieces(b.Size), false
}

// recordFault keeps the reason why a blob could not be read, for Blame.
func (s *planSource) recordFault(b *graph.Blob, from origin.Origin, err error) error {
	if content.IsMismatch(err) {
		err = &engine.ArtifactError{Reference: from.Repository() + "@" + b.Digest.String(), Op: "fetch", Err: err}
	}
	s.faults.Store(b.Key(), err)
	return err
}
