// Package sync copies artifacts from registries and layouts straight into registries.
// It is a restore whose source is a plan: names are resolved at both sides, only artifacts
// that differ are walked, and a blob goes from its origin to the targets through memory.
// Nothing is written to disk.
package sync

import (
	"context"
	"errors"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// Run copies what the selections select to the targets under mapped names. Its promises
// and its errors are those of [restore.Run].
func Run(ctx context.Context, c *registry.Client, selections []config.Selection, o engine.SyncOptions) (*engine.Report, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return &engine.Report{}, err
	}
	began := o.Now()
	s, err := open(ctx, c, selections, o)
	if err != nil {
		return &engine.Report{}, errors.Join(err, s.Close())
	}
	report, err := s.run(ctx, c)
	s.lacks.Tell(o.Progress.Notice)
	report.Newest, report.Duration = s.planner.Newest(), o.Now().Sub(began)
	return report, errors.Join(err, s.Close())
}

// Forecast compares the sources with the targets and counts the requests and the bytes of
// a sync.
func Forecast(ctx context.Context, c *registry.Client, selections []config.Selection, o engine.SyncOptions) (*engine.Forecast, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return nil, err
	}
	before := headway.Requests(c)
	s, err := open(ctx, c, selections, o)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	names := headway.Requests(c) - before
	f, err := s.forecast(ctx, c)
	s.lacks.Tell(o.Progress.Notice)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	f.Requests += names
	f.Newest = s.planner.Newest()
	for i := range f.Artifacts {
		f.Artifacts[i].From = s.from[f.Artifacts[i].Name]
	}
	return f, s.Close()
}

// open expands the selections, and resolves each name with one HEAD.
func open(ctx context.Context, c *registry.Client, selections []config.Selection, o engine.SyncOptions) (*planSource, error) {
	s := &planSource{SyncOptions: o, origins: make(map[*scope.Scope]origin.Origin), from: make(map[string]string), memory: newMemory(o.Buffer)}
	listed := &listing{Progress: o.Progress}
	s.planner = plan.New(c, selections, engine.BackupOptions{Concurrency: o.Concurrency, Progress: listed, Only: o.Among, Shard: o.Shard, OpenLayout: o.OpenLayout, Trust: o.Trust}, graph.Options{})
	err := s.planner.Resolve(ctx, func(context.Context, *plan.Artifact, ocispec.Descriptor) error { return nil })
	s.listed = listed.n
	if err == nil {
		err = s.checkMappings()
	}
	if err == nil {
		err = s.claim()
	}
	return s, err
}

// listing is the progress while the names are resolved. It counts the artifacts, and leaves
// Resolved to the restores, which know all of an artifact.
type listing struct {
	engine.Progress
	n int
}

func (l *listing) Listed(n int) {
	l.n += n
	l.Progress.Listed(n)
}

func (*listing) Resolved() {}

// relisting is the progress of the restores, which list every artifact again, once for each
// target. It reports only those that were not listed before.
type relisting struct {
	engine.Progress
	before int
}

func (r *relisting) Listed(n int) {
	more := max(0, n-r.before)
	r.before = max(0, r.before-n)
	r.Progress.Listed(more)
}
