package engine

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// Restore pushes what a layout holds to the targets under mapped names. Nothing
// is visible in a target before it is whole: blobs go first, then manifests,
// referrers, and tags last. The error is for the run as a whole: interrupted,
// two sources that collide (before any byte moves), the input cannot be read,
// ErrNoArtifact or ErrNothing. An artifact that failed is in the report.
func Restore(ctx context.Context, c *registry.Client, in store.Input, o RestoreOptions) (*Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return &Report{}, err
	}
	began := o.Now()
	r := newRestore(c, o)
	if err = r.run(ctx, in); err != nil {
		r.unfinished(ctx)
	}
	return r.report(o.Now().Sub(began)), err
}

// restore is one run.
type restore struct {
	RestoreOptions
	client  *registry.Client
	in      *input
	graph   *graph
	pushing *bounds.Lane // of the manifests that are pushed
	all     []*delivery
	pool    *pool
	moved   atomic.Int64

	manifests   once[pushKey, struct{}] // those that were put by digest
	completed   once[listKey, struct{}] // lists of referrers
	read        once[readKey, string]   // what a target was asked for again
	hasBlob     once[placeKey, bool]    // before anything was pushed
	hasManifest once[placeKey, bool]
	listedThere once[placeKey, []digest.Digest] // by subject
	resent      once[placeKey, struct{}]        // blobs that were sent though the target was to have them

	mu       sync.Mutex // guards the uploads and what is in them, and the deliveries' counts
	uploads  map[uploadKey]*upload
	order    []*upload        // as the input has them
	taken    map[moveKey]bool // what was pushed, whether all of its artifact was or not
	outgoing map[string]int64 // bytes of the uploads, by registry
	dry      *dryRun          // of a forecast: counts what would be pushed
	whole    int
	planned  bool // all deliveries are known

	listed *store.Index       // what the input listed when the restore began
	before map[listedKey]bool // what an earlier index.json of the pipe listed; nil for the first
	hold   bool               // guarded by mu: nothing starts before the pipe has ended
	held   []*delivery        // guarded by mu: what would have
}

func newRestore(c *registry.Client, o RestoreOptions) *restore {
	return &restore{RestoreOptions: o, client: c, graph: newGraph(), pushing: bounds.NewLane(), uploads: make(map[uploadKey]*upload), taken: make(map[moveKey]bool), outgoing: make(map[string]int64)}
}

func (r *restore) run(ctx context.Context, in store.Input) error {
	if err := r.prepare(ctx, in); err != nil || r.DryRun {
		return err
	}
	r.pool = newPool(ctx, r.Concurrency)
	feedErr := r.feed()
	if feedErr != nil {
		r.pool.group.Go(func() error { return feedErr })
	}
	if err := r.pool.wait(); err != nil {
		return err
	}
	if err := r.revise(ctx); err != nil {
		return err
	}
	if r.whole == 0 && len(r.all) > 0 {
		return ErrNothing
	}
	return nil
}

// prepare finds out what goes where, and what the targets lack of it.
func (r *restore) prepare(ctx context.Context, in store.Input) error {
	var err error
	stream, once := in.(*store.Stream)
	if once && r.DryRun {
		if err := readToEnd(ctx, stream); err != nil {
			return err
		}
	}
	if r.in, err = openInput(in); err != nil {
		return err
	}
	r.listed, r.hold = in.Index(), once && !stream.Ours() && r.before == nil
	r.late(r.in.roots)
	r.graph.store = r.forget
	r.graph.notice = r.Progress.Notice
	if missing := in.Index().Annotations[AnnotationMissing]; missing != "" {
		r.Progress.Notice("the backup is incomplete; missing: " + missing)
	}
	if len(r.in.roots) == 0 {
		return ErrNoArtifact
	}
	if r.all, err = r.route(); err != nil {
		return err
	}
	r.planned = true
	if r.DryRun {
		for _, d := range r.all {
			d.err = d.fault
		}
		if err := r.glance(ctx); err != nil {
			return err
		}
		r.adopt()
		for _, d := range r.all {
			r.noteOverwritten(d)
		}
		return nil
	}
	r.Progress.Listed(len(r.all))
	return r.compare(ctx)
}

// settle says what became of a delivery. Its error ends the run.
func (r *restore) settle(ctx context.Context, d *delivery, err error) error {
	d.err = err
	if err == nil {
		d.done = true
		r.noteOverwritten(d)
		if d.parent == nil {
			r.mu.Lock()
			r.whole++
			r.mu.Unlock()
		}
		r.conclude(d)
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	r.conclude(d)
	if r.FailFast {
		return err
	}
	return nil
}

// unfinished says of each delivery that a run which ended early did not get to:
// that it is not whole in the target, though nothing is wrong with it.
func (r *restore) unfinished(ctx context.Context) {
	for _, d := range r.all {
		if d.err == nil && !d.done || wasUnderWay(ctx, d.err) {
			d.err = ErrUnfinished
		}
	}
}

// pushed counts what a registry took.
func (r *restore) pushed(registry string, part descriptor) {
	r.moved.Add(part.size)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken[moveKey{registry, part.digest}] = true
}

func (r *restore) report(took time.Duration) *Report {
	report := &Report{Planned: r.planned, Moved: r.moved.Load(), Duration: took}
	have := belongings{sent: r.taken, seen: make(map[partKey]bool)}
	for _, d := range r.all {
		if d.parent != nil {
			continue
		}
		one := d.whole()
		report.Artifacts = append(report.Artifacts, one)
		report.Referrers += one.Referrers
		report.Expected += one.Expected
		if one.Err == nil {
			report.Shared = bounds.Sum(report.Shared, max(0, one.Bytes-have.add(d)))
		}
		if one.Unchanged {
			report.Unchanged++
		}
		if one.Overwritten != "" {
			report.Overwritten++
		}
	}
	report.There = have.there
	names := make([]string, len(r.Targets))
	for i, t := range r.Targets {
		names[i] = t.String()
	}
	report.Output = strings.Join(names, ", ")
	return report
}
