package backup

import (
	"cmp"
	"context"
	"slices"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// addBlob makes an artifact wait for a blob, and queues a blob that is new.
func (d *directory) addBlob(j *job, b *graph.Blob) {
	job := d.blobJob(b)
	if job.state == blobUnknown {
		d.rejectWrongSize(b, job)
	}
	if job.state == blobDone || d.leaves(b, job) {
		return
	}
	if job.state == blobUnknown && d.Base != nil {
		d.held = append(d.held, b.Digest)
	}
	job.waiting = append(job.waiting, j)
	j.pending++
	if job.state == blobUnknown {
		d.queue(j.Name, b)
	}
}

// bringBlob fetches a blob unless the output has it, and finishes it.
func (d *directory) bringBlob(ctx context.Context, name string, b *graph.Blob) error {
	var err error
	origins := d.planner.CountOrigins(b) // counted first: one that is found meanwhile may not be tried
	fetched := !d.out.Has(b.OCI())
	if fetched {
		if d.headway.Expect(b.Key()) {
			d.Progress.Expect(b.Size)
		}
		d.Progress.Moving(name)
		err = d.fetch(ctx, b)
	}
	if err != nil && engine.IsFatal(err) {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && !d.planned {
		d.later = append(d.later, attempt{b, name, origins, err})
		d.blobJob(b).state = blobLater
		return d.resumeRivals(b)
	}
	if !fetched {
		return cmp.Or(d.holdBlob(b), d.resumeRivals(b))
	}
	return cmp.Or(d.finishBlob(b, err), d.resumeRivals(b))
}

// retryLater retries the blobs that failed before the plan was complete, if another origin was
// found since, and gives up the rest.
func (d *directory) retryLater() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.planned = true
	var ends error
	for _, l := range d.later {
		if d.planner.CountOrigins(l.Blob) == l.origins {
			ends = cmp.Or(ends, d.finishBlob(l.Blob, l.err), d.resumeRivals(l.Blob))
			continue
		}
		d.queue(l.name, l.Blob)
	}
	d.later = nil
	return ends
}

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
