package sync

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/engine/restore/route"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// partSize is the number of artifacts that are copied at a time: their graphs, with the bytes of
// manifests, are in memory from their walk to the end of their part. 100,000 artifacts of
// two blobs at once took 350 MiB. A variable for tests.
var partSize = 8192

// parts yields the parts of the roots, in their order. Each is the source's own while it
// is yielded.
func (s *planSource) parts(yield func() error) error {
	if !s.IsPart() {
		return yield()
	}
	if err := route.Check(s, s.RestoreOptions); err != nil {
		return err
	}
	for part := range slices.Chunk(s.all, partSize) {
		s.roots = part
		if err := yield(); err != nil {
			return err
		}
		clear(part)
		s.faults.Clear()
		s.planner.Graph = s.planner.Graph.Renewed()
	}
	return nil
}

// IsPart reports whether the roots are copied in parts.
func (s *planSource) IsPart() bool { return len(s.all) > partSize }

// run copies the parts, one after the other. After an error the artifacts of the remaining
// parts are reported as unfinished.
func (s *planSource) run(ctx context.Context, c *registry.Client) (*engine.Report, error) {
	all := &engine.Report{Planned: true}
	o := s.options()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var ended error
	whole, parts := 0, 0
	err := s.parts(func() error {
		report, err := restore.RunFrom(ctx, c, s, o)
		parts++
		add(all, report)
		switch {
		case err == nil:
			whole++
		case !errors.Is(err, engine.ErrNothing) && ended == nil:
			ended = err
			cancel(err)
		}
		return nil
	})
	if err == nil && ended == nil && whole == 0 && parts > 0 {
		err = engine.ErrNothing
	}
	return all, cmp.Or(err, ended)
}

// add adds the report of a part to another.
func add(to, part *engine.Report) {
	to.Artifacts = append(to.Artifacts, part.Artifacts...)
	to.Planned = to.Planned && part.Planned
	to.Referrers += part.Referrers
	to.Expected += part.Expected
	to.Moved = bounds.Sum(to.Moved, part.Moved)
	to.Shared = bounds.Sum(to.Shared, part.Shared)
	to.There = bounds.Sum(to.There, part.There)
	to.Unchanged += part.Unchanged
	to.Overwritten += part.Overwritten
	to.Output = part.Output
}

// forecast adds up the forecasts of the parts.
func (s *planSource) forecast(ctx context.Context, c *registry.Client) (*engine.Forecast, error) {
	all, o := new(engine.Forecast), s.options()
	counted := shard.NewLoads[struct{}](0)
	if s.Shard.IsAll() {
		counted = shard.NewLoads[struct{}](s.Shard.Count)
	}
	err := s.parts(func() error {
		f, err := restore.ForecastFrom(ctx, c, s, o)
		if err != nil {
			return err
		}
		all.Artifacts = append(all.Artifacts, f.Artifacts...)
		all.Distinct = bounds.Sum(all.Distinct, f.Distinct)
		all.Shared = bounds.Sum(all.Shared, f.Shared)
		all.There = bounds.Sum(all.There, f.There)
		all.Transfer = bounds.Sum(all.Transfer, f.Transfer)
		all.Transfers += f.Transfers
		all.Requests += f.Requests
		addLoads(all, f, counted)
		return nil
	})
	return all, err
}

// addLoads adds the shards of a part to a forecast. A repository of several parts counts
// once: counted has those of all parts so far.
func addLoads(to, part *engine.Forecast, counted *shard.Loads[struct{}]) {
	for _, a := range part.Artifacts {
		if len(part.Shards) > 0 {
			counted.AddArtifact(a.Shard, a.Repository)
		}
	}
	if to.Shards == nil {
		to.Shards = make([]shard.Load, len(part.Shards))
	}
	for i, load := range part.Shards {
		to.Shards[i].Repositories = counted.All[i].Repositories
		to.Shards[i].Artifacts += load.Artifacts
		to.Shards[i].Bytes = bounds.Sum(to.Shards[i].Bytes, load.Bytes)
	}
}

// landing is the key of a blob that a target has.
type landing struct {
	registry string
	digest   digest.Digest
	size     int64
}

// A later part can mount all large blobs, and the first of the small ones, which are those
// that many artifacts share: to send a small one again costs one request more than to mount
// it.
const (
	minLarge = 64 << 10 // bytes
	maxSmall = 50_000   // blobs
)

func (s *planSource) Landed(registry, path string, b content.Descriptor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.IsPart() || b.Size < minLarge && len(s.landed) >= maxSmall {
		return
	}
	if s.landed == nil {
		s.landed = make(map[landing]string)
	}
	s.landed[landing{registry, b.Digest, b.Size}] = path
}

// landedIn returns a repository of a target that an earlier part sent a blob to, if any.
func (s *planSource) landedIn(registry string, b content.Descriptor) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if path := s.landed[landing{registry, b.Digest, b.Size}]; path != "" {
		return []string{path}
	}
	return nil
}
