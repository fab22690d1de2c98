package backup

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// backup is one run: the state that the backup into a directory and the one into an archive
// share.
type backup struct {
	engine.BackupOptions
	planner   *plan.Planner
	claims    *plan.Collisions
	jobs      records[job]     // by the number of their artifact
	blobJobs  records[blobJob] // by the number of their blob
	moved     atomic.Int64
	headway   headway.Blobs
	output    string
	parts     []engine.Part
	partial   bool // the output lacks an artifact and stands aside
	committed bool // the jobs that are done are in the output
}

func newBackup(o engine.BackupOptions) *backup {
	o = o.WithDefaults()
	return &backup{BackupOptions: o, claims: plan.NewCollisions(o.Mapper)}
}

// plan makes the planner of a backup. output is the cache of its output, before the layout
// that the output replaces, or nil.
func (b *backup) plan(c *registry.Client, selections []config.Selection, output graph.Cache, before *origin.Local) {
	b.planner = plan.New(c, selections, b.BackupOptions, graph.Options{Cache: output, Before: before, Moved: func(n int64) { b.moved.Add(n) }})
}

// job returns the record of an artifact.
func (b *backup) job(a *plan.Artifact) *job {
	j := b.jobs.at(a.Number)
	j.Artifact = a
	return j
}

func (b *backup) blobJob(of *graph.Blob) *blobJob { return b.blobJobs.at(int(of.Number)) }

// fail gives an artifact up. It returns the error of the artifact if that ends the run: with
// FailFast, or if every other artifact would fail, too.
func (b *backup) fail(j *job) error {
	if engine.IsFatal(j.Err) {
		return j.Err
	}
	b.Progress.Failed(j.report())
	if b.FailFast {
		return j.Err
	}
	return nil
}

// openBlob opens a part of a blob. It counts the bytes as progress, and separately those that
// come over the network.
func (b *backup) openBlob(ctx context.Context, from origin.Origin, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	if desc.Size == 0 { // needs no request; its digest is checked like any other
		return io.NopCloser(strings.NewReader("")), nil
	}
	body, err := from.Blob(ctx, desc, off, n)
	if errors.Is(err, transport.ErrNoRange) {
		return nil, fetch.ErrWholeOnly
	}
	if err != nil {
		return nil, err
	}
	near := origin.OnDisk(from)
	key := content.Of(desc).Key()
	return origin.Part{Closer: body, Reader: &headway.Counted{Reader: body, Heard: func(n int64) {
		b.advance(key, off, n)
		off += n
		if !near {
			b.moved.Add(n)
		}
	}}}, nil
}

// advance counts bytes of a blob as progress, each once.
func (b *backup) advance(key content.Key, off, n int64) {
	if added := b.headway.Add(key, off, n); added > 0 {
		b.Progress.Moved(added)
	}
}
