package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// Forecast is what a run would do, in the numbers that its report then has.
type Forecast struct {
	Artifacts []Outlook
	Distinct  int64    // bytes of all that was selected, each manifest and blob once
	Shared    int64    // bytes that artifacts have in common, counted once for each but the first
	There     int64    // of the distinct bytes, those that need not be moved
	Transfer  int64    // bytes that will be moved: Report.Moved
	Transfers int      // blobs that will be moved
	Requests  int      // all that the run will make, those that were made for the forecast included
	Newest    []Newest // of a backup: where the newest tags were selected, by repository
}

// State is what a run would do about one artifact.
type State string

const (
	StateNew       State = "new"
	StateChanged   State = "changed"
	StateUnchanged State = "unchanged"
	StateFailed    State = "failed"
)

// Outlook is what a run would do about one artifact.
type Outlook struct {
	Reference config.Reference // of a backup; for a restore what the layout calls it is in Name
	Name      string
	Target    string // of a restore
	Digest    digest.Digest
	MediaType string
	Size      int64 // bytes of its graph
	Platforms []config.Platform
	Referrers []digest.Digest // sorted; those with a tag of cosign's among them
	State     State
	Err       error
}

// Changes says whether the run would change anything.
func (f *Forecast) Changes() bool {
	return slices.ContainsFunc(f.Artifacts, func(o Outlook) bool { return o.State != StateUnchanged })
}

// ForecastBackup plans a backup and stops before the blobs. there is what the
// output holds now, or nil; directory says which of the two kinds it is.
func ForecastBackup(ctx context.Context, c *registry.Client, selections []config.Selection, there store.Layout, directory bool, o BackupOptions) (*Forecast, error) {
	o.Previous = there
	b := newBackup(c, o.withDefaults())
	before := requests(c)
	var mu sync.Mutex // guards claims
	err := b.planner.each(ctx, selections, true, func(a *artifact) error {
		mu.Lock()
		defer mu.Unlock()
		if a.err == nil {
			a.err = b.claims.claim(a)
		}
		if a.err != nil && isFatal(a.err) {
			return a.err
		}
		if a.visit != nil {
			a.visit.all(func(v *visit) { v.node.data = nil })
		}
		return nil
	})
	if err = errors.Join(err, b.planner.sources.close()); err != nil {
		return nil, err
	}
	f := &Forecast{Requests: requests(c) - before, Transfer: b.moved.Load(), Newest: b.planner.sources.newest}
	slices.SortFunc(f.Newest, func(a, b Newest) int {
		return cmp.Or(strings.Compare(a.Repository, b.Repository), a.Count-b.Count, strings.Compare(a.Order, b.Order))
	})
	b.forecast(f, there, directory)
	return f, nil
}

// requests counts what a client has sent. Beside the kinds of requests, which
// are a method and a noun, its statistics have sums of their own.
func requests(c *registry.Client) int {
	n := 0
	for kind, count := range c.Stats() {
		if strings.Contains(kind, " ") {
			n += count
		}
	}
	return n
}

func (b *backup) forecast(f *Forecast, there store.Layout, directory bool) {
	has := func(d descriptor) bool {
		if there == nil {
			return false
		}
		size, err := there.Stat(d.digest)
		return err == nil && size == d.size
	}
	seen := make(map[descriptor]bool)
	meet := func(d descriptor, isBlob bool) {
		d.mediaType = ""
		if seen[d] {
			f.Shared += d.size
			return
		}
		seen[d] = true
		f.Distinct += d.size
		switch {
		case has(d):
			f.There += d.size
		case isBlob:
			f.Transfer += d.size
			if d.size > 0 {
				f.Transfers++
			}
			f.Requests += b.pieces(d.size, directory)
		}
	}
	for _, a := range b.planner.all {
		f.Artifacts = append(f.Artifacts, a.outlook(there))
		if a.err != nil {
			continue
		}
		once := make(map[descriptor]bool)
		each := func(d descriptor, isBlob bool) {
			if d.mediaType = ""; !once[d] {
				once[d] = true
				meet(d, isBlob)
			}
		}
		a.visit.all(func(v *visit) {
			each(v.node.descriptor, false)
			for _, blob := range v.node.blobs {
				each(blob.descriptor, true)
			}
		})
	}
}

// pieces is how many requests bring a blob.
func (b *backup) pieces(size int64, directory bool) int {
	o := fetch.Options{Budget: b.Buffer}
	if size == 0 {
		return 0
	}
	if directory && size <= largeBlob {
		return 1
	}
	return o.Pieces(size)
}

func (a *artifact) outlook(there store.Layout) Outlook {
	o := Outlook{Reference: a.ref, Name: a.name, Digest: a.root.Digest, MediaType: a.root.MediaType, Err: a.err, State: StateFailed}
	if a.err != nil {
		return o
	}
	if a.visit.isSparse() {
		o.Platforms = a.scope.platforms
	}
	o.Size = a.report().Bytes
	o.Err = a.visit.referring(func(v *visit, _ string) { o.Referrers = append(o.Referrers, v.node.digest) })
	slices.Sort(o.Referrers)
	o.Referrers = slices.Compact(o.Referrers)
	if o.Err = firstError([]error{o.Err, a.unpinned()}); o.Err != nil {
		o.State = StateFailed
		return o
	}
	o.State = StateNew
	if there != nil {
		o.State = a.state(there)
	}
	return o
}

// state compares an artifact with what a layout has.
func (a *artifact) state(there store.Layout) State {
	e, ok := there.Index().Lookup(a.name)
	switch {
	case !ok:
		return StateNew
	case e.Digest != a.root.Digest:
		return StateChanged
	}
	state := StateUnchanged
	missing := func(d descriptor) {
		if size, err := there.Stat(d.digest); err != nil || size != d.size {
			state = StateChanged
		}
	}
	a.visit.all(func(v *visit) {
		missing(v.node.descriptor)
		for _, b := range v.node.blobs {
			missing(b.descriptor)
		}
	})
	return state
}

// Lock makes of a forecast what pins it. It fails where an artifact could not be
// resolved: a lock that lacks something would pin its absence.
func (f *Forecast) Lock() (*config.Lock, error) {
	lock := new(config.Lock)
	var errs []error
	for _, o := range f.Artifacts {
		if o.Err != nil {
			errs = append(errs, o.Err)
			continue
		}
		lock.Artifacts = append(lock.Artifacts, config.LockedArtifact{Reference: o.Reference, Digest: o.Digest,
			MediaType: o.MediaType, Size: o.Size, Platforms: o.Platforms, Referrers: o.Referrers})
	}
	return lock, errors.Join(errs...)
}

// ForecastRestore compares a layout with the targets and stops before anything
// is sent.
func ForecastRestore(ctx context.Context, c *registry.Client, in store.Layout, o RestoreOptions) (*Forecast, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	before := requests(c)
	r := &restore{RestoreOptions: o, client: c, graph: newGraph(), uploads: make(map[uploadKey]*upload), dry: new(dryRun)}
	if err := r.prepare(ctx, in); err != nil {
		return nil, err
	}
	f := new(Forecast)
	if err := r.foresee(ctx, f); err != nil {
		return nil, err
	}
	f.Requests += requests(c) - before + r.dry.requests
	f.Transfer += r.dry.bytes
	return f, nil
}

// dryRun counts instead of pushing.
type dryRun struct {
	mu       sync.Mutex // guards what follows
	requests int
	bytes    int64
}

func (d *dryRun) count(requests int, bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests += requests
	d.bytes += bytes
}

// hasAPI asks whether a target has the referrers API. A run that pushes learns
// that it has one from the answer to a push, and then asks nothing.
func (r *restore) hasAPI(ctx context.Context, d *delivery) (bool, error) {
	if r.dry == nil {
		return d.repo.ReferrersAPI(ctx)
	}
	r.dry.mu.Lock()
	defer r.dry.mu.Unlock()
	before := requests(r.client)
	api, err := d.repo.ReferrersAPI(ctx)
	if api {
		r.dry.requests -= requests(r.client) - before
	}
	return api, err
}

// foresee does of a restore what changes nothing.
func (r *restore) foresee(ctx context.Context, f *Forecast) error {
	for _, u := range r.order {
		has, err := u.places[0].repo.HasBlob(ctx, u.blob.oci())
		if err != nil {
			return err
		}
		f.Requests += len(u.places) - 1 // mounts
		if !has {
			f.Requests += 2 // POST and PUT
			f.Transfers++
			f.Transfer += u.size
		}
	}
	for _, d := range r.all {
		if d.err == nil && !d.skipped {
			d.err = r.put(ctx, d, d.visit, d.tag)
		}
	}
	r.tally(f)
	return nil
}

func (r *restore) tally(f *Forecast) {
	seen := make(map[descriptor]bool)
	for _, d := range r.all {
		one := d.report()
		out := Outlook{Name: d.name, Target: one.Target, Digest: one.Digest, MediaType: d.root.mediaType, Size: one.Bytes, Err: d.err, State: d.state()}
		if d.visit != nil {
			r.each(d, d.visit, func(v *visit) {
				if v.node.subject != "" {
					out.Referrers = append(out.Referrers, v.node.digest)
				}
				for _, part := range v.node.parts() {
					if part.mediaType = ""; seen[part] {
						f.Shared += part.size
						continue
					}
					seen[part] = true
					f.Distinct += part.size
				}
			})
		}
		f.Artifacts = append(f.Artifacts, out)
	}
	f.There = max(0, f.Distinct-f.Transfer-r.dry.bytes)
}

// parts returns the manifest itself and its blobs.
func (n *node) parts() []descriptor {
	parts := []descriptor{n.descriptor}
	for _, b := range n.blobs {
		parts = append(parts, b.descriptor)
	}
	return parts
}

func (d *delivery) state() State {
	switch {
	case d.err != nil:
		return StateFailed
	case d.skipped || d.present && len(d.lacks) == 0:
		return StateUnchanged
	case d.present || d.changes:
		return StateChanged
	}
	return StateNew
}
