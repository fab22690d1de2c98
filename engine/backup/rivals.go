package backup

import (
	"cmp"
	"context"
	"slices"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// queue queues the download of a blob, but not beside a rival: a digest is stored once.
func (d *directory) queue(name string, b *graph.Blob) {
	job := d.blobJob(b)
	if slices.ContainsFunc(d.planner.Rivals(b), func(r *graph.Blob) bool { return d.blobJob(r).state == blobQueued }) {
		job.state = blobParked
		return
	}
	job.state = blobQueued
	d.pool.Add(d.planner.OriginOf(b, 0).Queue(), b.Size, func(ctx context.Context) error { return d.bringBlob(ctx, name, b) })
}

// rejectWrongSize gives up a blob when a rival of it has come: its size is wrong.
func (d *directory) rejectWrongSize(b *graph.Blob, job *blobJob) {
	for _, r := range d.planner.Rivals(b) {
		if d.blobJob(r).state == blobDone && r.Err == nil {
			job.state, b.Err = blobDone, d.wrongSize(b, r)
		}
	}
}

func (d *directory) wrongSize(b, right *graph.Blob) error {
	return &engine.ArtifactError{Reference: d.planner.OriginOf(b, 0).Repository() + "@" + b.Digest.String(), Op: "fetch",
		Err: &oci.MismatchError{Descriptor: b.OCI(), Size: right.Size}}
}

// resumeRivals queues the next rival of a blob that failed, or gives the rivals up if the blob
// came.
func (d *directory) resumeRivals(b *graph.Blob) error {
	var ends error
	came := d.blobJob(b).state == blobDone && b.Err == nil
	for _, r := range d.planner.Rivals(b) {
		switch job := d.blobJob(r); {
		case job.state != blobParked:
		case came:
			ends = cmp.Or(ends, d.finishBlob(r, d.wrongSize(r, b)))
		default:
			d.queue(job.waiting[0].Name, r)
		}
	}
	return ends
}
