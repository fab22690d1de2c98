package backup

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// commitInterval bounds the time until a whole artifact is in index.json. A run that is killed
// loses the entries since the last commit, but no blobs: the next run finds them.
const commitInterval = 5 * time.Minute

// largeBlob is the size from which several connections bring a blob: one alone
// measured 20 MiB/s where four brought 72.
const largeBlob = 64 << 20

// directory backs up into a layout at random: manifests are stored as they
// come, blobs begin as soon as a manifest names them, and an artifact enters
// index.json when the last of its blobs is there.
type directory struct {
	*backup
	out  randomOutput
	pool *pool.Pool

	memory func() *fetch.Budget // of the windows of large blobs, made for the first

	mu         sync.Mutex // guards the index and the jobs
	lastCommit time.Time
	whole      int
	planned    bool              // every origin of each blob is known
	later      []attempt         // until then: blobs that failed
	added      map[entryKey]bool // entries that this run has put
	held       []digest.Digest   // of a delta: blobs that no list has yet
	delta      *delta.Delta      // the output so far; nil: it is no delta yet
}

// entryKey identifies an entry of index.json.
type entryKey struct {
	name   string
	digest digest.Digest
}

func newDirectory(b *backup, c *registry.Client, selections []config.Selection, out randomOutput) *directory {
	d := &directory{backup: b, out: out, lastCommit: b.Now(), added: make(map[entryKey]bool), memory: sync.OnceValue(func() *fetch.Budget {
		return fetch.NewBudget(fetch.Options{Budget: bounds.Room(b.Buffer, engine.LeastBuffer)})
	})}
	b.output = out.Path()
	d.openDelta()
	b.plan(c, selections, d.cacheOf(out), nil)
	return d
}

func (d *directory) run(ctx context.Context) error {
	d.pool = pool.New(ctx, d.Concurrency)
	planErr := d.planner.Each(d.pool.Context(), d.addArtifact)
	if planErr == nil {
		d.planner.Seal()
		planErr = d.retryLater()
	}
	if planErr != nil {
		d.pool.Fail(planErr)
	}
	if err := d.pool.Wait(); err != nil {
		return err
	}
	if d.whole == 0 && len(d.planner.All) > 0 {
		return engine.ErrNothing
	}
	markMissing(d.out.Index(), d.planner.All, d.Shard)
	if err := cmp.Or(d.checkBase(ctx), d.markDelta(d.elsewhere())); err != nil {
		return err
	}
	if err := d.out.Commit(ctx); err != nil {
		return written(err)
	}
	d.committed = true
	if d.whole < len(d.planner.All) || d.Shard != nil {
		return nil
	}
	return written(d.out.Sweep()) // no run, also of another shard, will resume the unfinished blobs
}

// addArtifact queues the blobs of an artifact whose graph is known.
func (d *directory) addArtifact(a *plan.Artifact) error {
	if a.Err == nil {
		a.Err = d.claims.Claim(a)
	}
	j := d.job(a)
	if a.Err != nil {
		return d.fail(j)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	j.pending = 1 // this call, so that it cannot be finished before it is counted
	a.Visit.All(func(v *graph.Visit) {
		for _, b := range v.Blobs() {
			d.addBlob(j, b)
		}
	})
	return d.unblock(j)
}

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

// attempt is a blob that failed before the plan was complete: another origin may turn out to
// have it.
type attempt struct {
	*graph.Blob
	name    string // of the artifact that needed it first
	origins int    // that were known when it was tried
	err     error
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
