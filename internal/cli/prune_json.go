package cli

import (
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/store"
)

// pruneDocument is the output of "prune --format json", as in schemas/prune.schema.json.
type pruneDocument struct {
	report.Header
	Output       string           `json:"output"`
	DryRun       bool             `json:"dryRun"`
	Removed      []inventory.Name `json:"removed"` // or that would be, with DryRun
	Blobs        []prunedBlob     `json:"blobs"`   // as well
	Errors       []problem        `json:"errors"`
	Totals       pruneTotals      `json:"totals"`
	WaitingUntil *time.Time       `json:"waitingUntil,omitempty"`
	ExitCode     int              `json:"exitCode"`
}

// prunedBlob is a manifest or blob that is removed.
type prunedBlob struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"` // bytes
}

// pruneTotals counts what was removed or kept.
type pruneTotals struct {
	Removed      int   `json:"removed"`
	Referrers    int   `json:"removedReferrers"`
	Blobs        int   `json:"removedBlobs"`
	Bytes        int64 `json:"removedBytes"`
	Waiting      int   `json:"waitingBlobs"` // blobs of a bucket that a later run removes
	WaitingBytes int64 `json:"waitingBytes"`
	Uploads      int   `json:"abortedUploads"`
	Unnamed      int   `json:"unnamed"` // manifests without a name, which are kept
	Errors       int   `json:"errors"`
}

// newPruneDocument returns the document of a run that has removed nothing yet.
func newPruneDocument(dryRun bool) *pruneDocument {
	return &pruneDocument{Header: report.NewHeader("Prune"), DryRun: dryRun, Removed: []inventory.Name{}, Blobs: []prunedBlob{}}
}

// failed implements failing.
func (c *pruneCommand) failed() func(failures []console.Failure, exitCode int) any {
	d := newPruneDocument(c.DryRun)
	d.Output = c.Output
	return d.finish
}

// finish adds the errors of the run.
func (d *pruneDocument) finish(failures []console.Failure, exitCode int) any {
	d.Errors = problemsOf(failures)
	d.Totals.Errors, d.ExitCode = len(d.Errors), exitCode
	return d
}

// add adds what was removed.
func (d *pruneDocument) add(p *store.Pruned) {
	for _, e := range p.Entries {
		d.Removed = append(d.Removed, inventory.Name{Reference: e.Name, Digest: e.Digest})
	}
	for _, b := range p.Gone {
		d.Blobs = append(d.Blobs, prunedBlob{b.Digest, b.Size})
	}
	d.Totals = pruneTotals{Removed: len(p.Entries), Referrers: p.Referrers, Blobs: p.Blobs, Bytes: p.Bytes,
		Waiting: p.Waiting, WaitingBytes: p.WaitingBytes, Uploads: p.Uploads, Unnamed: p.Unnamed}
	if p.Waiting > 0 {
		until := p.Until.UTC()
		d.WaitingUntil = &until
	}
}
