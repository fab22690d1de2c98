// Package backup copies artifacts from registries and layouts into a directory or an
// archive. Each manifest and each blob is fetched once. An artifact stands in the index
// only when all of its selected graph is stored.
package backup

import (
	"context"
	"errors"
	"fmt"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// Run copies the selected artifacts into out and commits it. The error is for the run as a
// whole: it was interrupted, the output cannot be written, two sources collide, or
// [engine.ErrNothing]. An artifact that failed is in the report.
func Run(ctx context.Context, c *registry.Client, selections []config.Selection, out store.Destination, o engine.BackupOptions) (*engine.Report, error) {
	b := newBackup(o)
	began := b.Now()
	run, err := b.into(c, selections, out)
	if err != nil {
		return &engine.Report{}, err
	}
	if err = run(ctx); err != nil {
		b.unfinished(ctx)
	}
	report := b.report(b.Now().Sub(began))
	if err == nil {
		b.tellUseless(report.LeftBlobs, len(report.Artifacts)-len(report.Failures()), report.Unchanged)
	}
	return report, errors.Join(err, b.planner.Close())
}

// into connects a backup to its output and returns the function that runs it.
func (b *backup) into(c *registry.Client, selections []config.Selection, out store.Destination) (run func(context.Context) error, err error) {
	if err := b.checkOutput(out); err != nil {
		return nil, err
	}
	switch out := out.(type) {
	case *store.Dir:
		return newDirectory(b, c, selections, dirOutput{out}).run, nil
	case *store.Bucket:
		return newDirectory(b, c, selections, bucketOutput{out}).run, nil
	case *store.Archive:
		return newArchive(b, c, selections, archiveOutput{out}).run, nil
	case *store.Parts:
		return newArchive(b, c, selections, out).run, nil
	}
	return nil, fmt.Errorf("unknown kind of output %T", out)
}
