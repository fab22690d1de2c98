package backup

import (
	"cmp"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// finishBlob unblocks the artifacts that wait for a blob, which was fetched or given up. The
// caller holds the lock.
func (d *directory) finishBlob(b *graph.Blob, err error) error {
	for _, j := range d.blobJob(b).waiting {
		j.fetched = true
	}
	return d.unblockAll(b, err)
}

// holdBlob unblocks the artifacts that wait for a blob, which the output had before. The caller
// holds the lock.
func (d *directory) holdBlob(b *graph.Blob) error {
	b.Held = true
	return d.unblockAll(b, nil)
}

func (d *directory) unblockAll(b *graph.Blob, err error) error {
	job := d.blobJob(b)
	job.state, b.Err = blobDone, err
	if err == nil {
		d.planner.Release(b)
		d.headway.Forget(b.Key())
	} else if rest, known := d.headway.GiveUp(b.Key()); known {
		d.Progress.Expect(-rest)
	}
	var ends error
	for _, j := range job.waiting {
		ends = cmp.Or(ends, d.unblock(j))
	}
	job.waiting = nil
	return ends
}

// unblock takes back one reason for an artifact to wait. With the last, its
// entry is made. The caller holds the lock.
func (d *directory) unblock(j *job) error {
	if j.pending--; j.pending > 0 {
		return nil
	}
	j.present = !j.fetched
	j.putEntries(func(e oci.Entry) {
		if before, ok := d.out.Index().Lookup(e.Name); ok {
			e = widened(e, before, j.Visit.Takes)
		}
		j.present = d.putEntry(e) && j.present
	})
	if j.Err == nil || isReferrers(j.Err) {
		d.whole++
		j.done = true
	}
	if j.Err != nil {
		return d.fail(j)
	}
	d.Progress.Finished(j.report())
	if d.Now().Sub(d.lastCommit) < commitInterval {
		return nil
	}
	d.lastCommit = d.Now()
	if err := d.markDelta(nil); err != nil {
		return err
	}
	return written(d.out.Commit(d.pool.Context()))
}

// putEntry puts an entry into the index, and reports whether an earlier run has put the
// same. The caller holds the lock.
func (d *directory) putEntry(e oci.Entry) (old bool) {
	key := entryKey{e.Name, e.Digest}
	old = !d.added[key] && d.out.Index().Holds(e)
	if !old {
		d.added[key] = true
		d.out.Index().Put(e)
	}
	return old
}
