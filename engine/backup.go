package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// Backup copies what the selections select into out and commits it. The error
// is for the run as a whole: interrupted, the output cannot be written, two
// sources collide, or ErrNothing. An artifact that failed is in the report.
func Backup(ctx context.Context, c *registry.Client, selections []config.Selection, out store.Destination, o BackupOptions) (*Report, error) {
	b := newBackup(o)
	began := b.Now()
	run, err := b.into(c, selections, out)
	if err != nil {
		return &Report{}, err
	}
	if err = run(ctx); err != nil {
		b.unfinished(ctx)
	}
	return b.report(b.Now().Sub(began)), errors.Join(err, b.planner.close())
}

// backup is one run.
type backup struct {
	BackupOptions
	planner   *planner
	claims    *collisions
	jobs      records[job]     // by the number of their artifact
	blobJobs  records[blobJob] // by the number of their blob
	moved     atomic.Int64
	headway   headway
	output    string
	partial   bool // the output lacks an artifact and stands aside
	committed bool // what is done stands in the output
}

func newBackup(o BackupOptions) *backup {
	o = o.withDefaults()
	return &backup{BackupOptions: o, claims: newCollisions(o.Mapper)}
}

// into wires a backup to its output and returns what runs it.
func (b *backup) into(c *registry.Client, selections []config.Selection, out store.Destination) (run func(context.Context) error, err error) {
	switch out := out.(type) {
	case *store.Dir:
		return newDirectory(b, c, selections, dirOutput{out}).run, nil
	case *store.Archive:
		return newArchive(b, c, selections, archiveOutput{out}).run, nil
	}
	return nil, fmt.Errorf("unknown kind of output %T", out)
}

// plan makes the planner of a backup whose output holds what a cache says, and
// replaces the layout before, which may be nil.
func (b *backup) plan(c *registry.Client, selections []config.Selection, output cache, before *local) {
	b.planner = newPlanner(c, selections, b.BackupOptions, graphOptions{Cache: output, Before: before, Moved: func(n int64) { b.moved.Add(n) }})
}

// fail gives an artifact up. Its error ends the run if that was asked for, or if no
// other artifact would fare better.
func (b *backup) fail(j *job) error {
	if isFatal(j.err) {
		return j.err
	}
	b.Progress.Failed(j.report())
	if b.FailFast {
		return j.err
	}
	return nil
}

// openBlob reads a part of a blob. It counts the bytes as progress, and those that come
// over the network apart from that.
func (b *backup) openBlob(ctx context.Context, from origin, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	if desc.Size == 0 { // nothing to ask for; whether the digest is that of nothing is checked like any other
		return io.NopCloser(strings.NewReader("")), nil
	}
	body, err := from.blob(ctx, desc, off, n)
	if errors.Is(err, registry.ErrNoRange) {
		return nil, fetch.ErrWholeOnly
	}
	if err != nil {
		return nil, err
	}
	near := onDisk(from)
	key := contentKey{desc.Digest, desc.Size}
	return part{Closer: body, Reader: &counted{Reader: body, heard: func(n int64) {
		b.advance(key, off, n)
		off += n
		if !near {
			b.moved.Add(n)
		}
	}}}, nil
}

// advance counts bytes of a blob as progress, each once.
func (b *backup) advance(key contentKey, off, n int64) {
	if added := b.headway.add(key, off, n); added > 0 {
		b.Progress.Moved(added)
	}
}
