package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// commitInterval is the longest time for which what is whole is not yet in
// index.json. A run that is killed loses the entries since the last commit and
// no blobs: they are found again.
const commitInterval = 5 * time.Minute

// largeBlob is the size from which several connections bring a blob: one alone
// measured 20 MiB/s where four brought 72.
const largeBlob = 64 << 20

// directory backs up into a layout directory: manifests are stored as they
// come, blobs begin as soon as a manifest names them, and an artifact enters
// index.json when the last of its blobs is there.
type directory struct {
	*backup
	dir  *store.Dir
	pool *pool

	memory func() *fetch.Budget // of the windows of large blobs, made for the first

	mu        sync.Mutex // guards the index, the blobs' states and the artifacts' counts
	committed time.Time
	whole     int
	planned   bool              // every place that a blob can be had from is known
	later     []attempt         // until then: blobs that could not be had
	added     map[entryKey]bool // entries that this run has put, by name and digest
}

func newDirectory(b *backup, dir *store.Dir) *directory {
	d := &directory{backup: b, dir: dir, committed: b.Now(), added: make(map[entryKey]bool), memory: sync.OnceValue(func() *fetch.Budget {
		return fetch.NewBudget(fetch.Options{Budget: bounds.Room(b.Buffer, leastBuffer)})
	})}
	b.reuse(dir)
	b.output = dir.Path()
	known := b.planner.known
	b.planner.known = func(at stop) ([]byte, bool) {
		if !dir.Has(at.desc) {
			return nil, false
		}
		return known(at)
	}
	b.planner.stored = func(name string) (ocispec.Descriptor, bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		e, ok := dir.Index().Lookup(name)
		return e.Descriptor(), ok
	}
	b.planner.store = func(desc ocispec.Descriptor, data []byte) (bool, error) {
		return true, written(dir.Push(desc, data))
	}
	return d
}

func (d *directory) run(ctx context.Context, selections []config.Selection) error {
	d.pool = newPool(ctx, d.Concurrency)
	planErr := d.planner.each(d.pool.ctx, selections, false, d.take)
	if planErr == nil {
		d.planner.walked()
		planErr = d.again()
	}
	if planErr != nil {
		d.pool.group.Go(func() error { return planErr })
	}
	if err := d.pool.wait(); err != nil {
		return err
	}
	if d.whole == 0 && len(d.planner.all) > 0 {
		return ErrNothing
	}
	markMissing(d.dir.Index(), d.planner.all)
	if err := d.dir.Commit(ctx); err != nil {
		return written(err)
	}
	d.backup.committed = true
	if d.whole < len(d.planner.all) {
		return nil
	}
	return written(d.dir.Sweep()) // nobody will go on with what is unfinished
}

// take queues the blobs of an artifact whose graph is known.
func (d *directory) take(a *artifact) error {
	if a.err == nil {
		a.err = d.claims.claim(a)
	}
	if a.err != nil {
		return d.failed(a)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	a.pending = 1 // this call, so that it cannot be finished before it is counted
	a.visit.all(func(v *visit) {
		for _, b := range v.blobs() {
			d.want(a, b)
		}
	})
	return d.release(a)
}

// want makes an artifact wait for a blob, and queues a blob that is new.
func (d *directory) want(a *artifact, b *blob) {
	if b.state == blobUnknown {
		d.judge(b)
	}
	if b.state == blobDone {
		return
	}
	b.waiting = append(b.waiting, a)
	a.pending++
	if b.state == blobUnknown {
		d.queue(a.name, b)
	}
}

// queue lets a blob be brought, but not beside a rival: a digest is stored once.
func (d *directory) queue(name string, b *blob) {
	if slices.ContainsFunc(d.planner.rivals(b), func(r *blob) bool { return r.state == blobQueued }) {
		b.state = blobParked
		return
	}
	b.state = blobQueued
	d.pool.add(d.planner.from(b, 0).queue(), b.size, func(ctx context.Context) error { return d.bring(ctx, name, b) })
}

// judge gives up a blob when a rival of it has come: its size is wrong.
func (d *directory) judge(b *blob) {
	for _, r := range d.planner.rivals(b) {
		if r.state == blobDone && r.err == nil {
			b.state, b.err = blobDone, d.wrongSize(b, r)
		}
	}
}

func (d *directory) wrongSize(b, right *blob) error {
	return &ArtifactError{Reference: d.planner.from(b, 0).repository() + "@" + b.digest.String(), Op: "fetch",
		Err: &store.MismatchError{Descriptor: b.oci(), Size: right.size}}
}

// passOn lets the next rival of a blob go ahead that is not under way any more, or
// gives them up if it came.
func (d *directory) passOn(b *blob) error {
	var ends error
	for _, r := range d.planner.rivals(b) {
		switch {
		case r.state != blobParked:
		case b.state == blobDone && b.err == nil:
			ends = cmp.Or(ends, d.settle(r, d.wrongSize(r, b), true))
		default:
			d.queue(r.waiting[0].name, r)
		}
	}
	return ends
}

// bring fetches a blob unless it is there, and tells those who wait for it.
func (d *directory) bring(ctx context.Context, name string, b *blob) error {
	var err error
	places := d.planner.places(b) // counted first: one that is found meanwhile may not be tried
	moved := !d.dir.Has(b.oci())
	if moved {
		if d.headway.expect(b.key()) {
			d.Progress.Expect(b.size)
		}
		d.Progress.Moving(name)
		err = d.fetch(ctx, b)
	}
	if err != nil && isFatal(err) {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && !d.planned {
		d.later = append(d.later, attempt{b, name, places, err})
		b.state = blobLater
		return d.passOn(b)
	}
	return cmp.Or(d.settle(b, err, moved), d.passOn(b))
}

// attempt is a blob that could not be had while the plan was not whole: another
// place may turn out to have it.
type attempt struct {
	*blob
	name   string // of the artifact that it was first wanted for
	places int    // that were known when it was tried
	err    error
}

// again tries what failed before the plan was whole, where another place was found
// since, and gives up the rest.
func (d *directory) again() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.planned = true
	var ends error
	for _, l := range d.later {
		if d.planner.places(l.blob) == l.places {
			ends = cmp.Or(ends, d.settle(l.blob, l.err, true), d.passOn(l.blob))
			continue
		}
		d.queue(l.name, l.blob)
	}
	d.later = nil
	return ends
}

// settle lets those go on who waited for a blob that is there or given up. The
// caller holds the lock.
func (d *directory) settle(b *blob, err error, moved bool) error {
	b.state, b.err, b.held = blobDone, err, err == nil && !moved
	if err == nil {
		d.headway.forget(b.key())
	} else if rest, known := d.headway.giveUp(b.key()); known {
		d.Progress.Expect(-rest)
	}
	var ends error
	for _, a := range b.waiting {
		a.moved = a.moved || moved
		ends = cmp.Or(ends, d.release(a))
	}
	b.waiting = nil
	return ends
}

// release takes back one reason for an artifact to wait. With the last, its
// entry is made. The caller holds the lock.
func (d *directory) release(a *artifact) error {
	if a.pending--; a.pending > 0 {
		return nil
	}
	a.present = !a.moved
	d.finish(a, func(e store.Entry) {
		if before, ok := d.dir.Index().Lookup(e.Name); ok {
			e = widened(e, before, a.visit.takes)
		}
		a.present = d.put(e) && a.present
	})
	if a.err == nil || isReferrers(a.err) {
		d.whole++
		a.done = true
	}
	if a.err != nil {
		return d.failed(a)
	}
	d.Progress.Finished(a.report())
	if d.Now().Sub(d.committed) < commitInterval {
		return nil
	}
	d.committed = d.Now()
	return written(d.dir.Commit(d.pool.ctx))
}

// put puts an entry into the index, and tells whether an earlier run has put the
// same. The caller holds the lock.
func (d *directory) put(e store.Entry) (old bool) {
	key := entryKey{e.Name, e.Digest}
	old = !d.added[key] && d.dir.Index().Holds(e)
	if !old {
		d.added[key] = true
		d.dir.Index().Put(e)
	}
	return old
}

// entryKey is one entry of index.json.
type entryKey struct {
	name   string
	digest digest.Digest
}
