package restore

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// uploads are the blobs that the targets lack, one upload for each blob and registry.
type uploads struct {
	source   source.Source
	progress engine.Progress
	sent     *traffic
	pool     *pool.Pool                   // nil in a forecast
	start    func() error                 // called when the roots of the source are final
	arrived  func(*delivery, error) error // called when no blob of a delivery is under way; the error is that of the first that failed

	repository func(registry, path string) (*registry.Repository, error)
	lenders    *lenders // of a source that leaves blobs to a base

	byKey    map[uploadKey]*upload
	byBlob   map[content.Key][]*upload // to each registry
	order    []*upload                 // as the deliveries name them
	outgoing map[string]int64          // bytes by registry

	resent pool.Once[manifestKey, struct{}] // blobs that were sent although the target should have them

	mu sync.Mutex // guards the recipients' and the deliveries' waiting
}

func newUploads(p engine.Progress, sent *traffic) *uploads {
	return &uploads{progress: p, sent: sent, byKey: make(map[uploadKey]*upload), byBlob: make(map[content.Key][]*upload), outgoing: make(map[string]int64)}
}

// add notes the blobs that a delivery waits for.
func (u *uploads) add(d *delivery) {
	if d.visit == nil {
		return
	}
	d.visit.Linked(func(v *graph.Visit) {
		if !d.lacks(v) {
			return
		}
		for _, b := range v.Blobs() {
			u.want(d, b.Descriptor)
		}
		if !v.Node.Index {
			d.spare(v.Leaves)
		}
	})
}

func (u *uploads) want(d *delivery, b content.Descriptor) {
	key := uploadKey{d.Target.Registry, b.Digest, b.Size}
	one := u.byKey[key]
	if one == nil {
		one = &upload{uploadKey: key, blob: b}
		u.byKey[key] = one
		u.byBlob[b.Key()] = append(u.byBlob[b.Key()], one)
		u.order = append(u.order, one)
		u.outgoing[key.registry] = bounds.Sum(u.outgoing[key.registry], b.Size)
	}
	to := u.recipientOf(one, d)
	if to == one.recipients[0] { // the others mount it
		to.sending.Expect()
	}
	if len(to.waiting) == 0 || to.waiting[len(to.waiting)-1] != d {
		to.waiting = append(to.waiting, d)
		d.waits.pending++
	}
}

func (u *uploads) recipientOf(one *upload, d *delivery) *recipient {
	for _, to := range one.recipients {
		if to.path == d.Path {
			return to
		}
	}
	to := &recipient{repo: d.repo, to: d.to, path: d.Path, fresh: d.found.fresh, sending: headway.Sending{Progress: u.progress, Size: one.size}}
	one.recipients = append(one.recipients, to)
	return to
}

// wanted lists the blobs, each once.
func (u *uploads) wanted() []content.Descriptor {
	all := make([]content.Descriptor, 0, len(u.order))
	for _, one := range u.order {
		if u.byBlob[one.blob.Key()][0] == one {
			all = append(all, one.blob)
		}
	}
	return all
}

// transfer brings a blob to every recipient. The others mount it from the first that has it. A
// recipient keeps its error.
func (u *uploads) transfer(ctx context.Context, one *upload, c source.Content) error {
	var home *recipient
	for _, to := range one.recipients {
		to.err = u.sendTo(ctx, one, to, home, c)
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if to.err == nil && home == nil {
			home = to
			u.landed(one, to)
		}
	}
	return nil
}

func (u *uploads) sendTo(ctx context.Context, one *upload, to, home *recipient, c source.Content) error {
	if home != nil {
		return u.mountTo(ctx, one, to, home.path, u.bodyOrCopy(one, to, home, c))
	}
	if homes := u.homes(one); slices.Contains(homes, to.path) {
		to.sending.Spare() // the source is in the same repository
		return nil
	} else if len(homes) > 0 {
		return u.mountTo(ctx, one, to, homes[0], u.body(one, &to.sending, c))
	}
	has, err := to.has(ctx, one.blob)
	if has {
		to.sending.Spare() // or a bar would wait for bytes that never move
	}
	if err != nil || has {
		return err
	}
	u.progress.Moving(to.waiting[0].Name)
	if err := to.to.pushBlob(ctx, one.blob, u.body(one, &to.sending, c)); err != nil {
		return u.source.Blame(one.blob, err)
	}
	u.sent.add(one.registry, one.blob)
	return nil
}

// landed tells a distant source which repository has a blob now.
func (u *uploads) landed(one *upload, in *recipient) {
	if far, is := u.source.(source.Distant); is {
		far.Landed(one.registry, in.path, one.blob)
	}
}

// homes lists the repositories in the registry of an upload that are known to have its blob.
func (u *uploads) homes(one *upload) []string {
	if far, is := u.source.(source.Distant); is {
		return far.Homes(one.registry, one.blob)
	}
	return nil
}

// mountTo mounts a blob from another repository of its registry, or sends it if that fails.
func (u *uploads) mountTo(ctx context.Context, one *upload, to *recipient, from string, b body) error {
	mounted, err := to.to.mountBlob(ctx, one.blob, from, b)
	to.mounted.Store(mounted)
	if mounted {
		to.sending.Spare()
	}
	if err != nil {
		return u.source.Blame(one.blob, err)
	}
	if !mounted {
		u.sent.add(one.registry, one.blob)
	}
	return nil
}

// body returns a blob for a target.
func (u *uploads) body(one *upload, s *headway.Sending, c source.Content) body {
	requests, shared := u.fetches(one.blob)
	return body{
		requests: requests, shared: shared,
		probes: u.isWorthProbing(one.registry, c),
		open: func(ctx context.Context, r source.Reading) (io.ReadCloser, error) {
			r.Heard = s.Begin()
			return c.Open(ctx, r)
		},
	}
}

// bodyOrCopy returns a blob that another recipient has, from there if its bytes are
// spent.
func (u *uploads) bodyOrCopy(one *upload, to, home *recipient, c source.Content) body {
	from := u.body(one, &to.sending, c)
	from.open = func(ctx context.Context, r source.Reading) (io.ReadCloser, error) {
		r.Heard = to.sending.Begin()
		if body, err := c.Open(ctx, r); !errors.Is(err, engine.ErrSpent) {
			return body, err
		}
		return fetchVerified(ctx, home.repo, one.blob, r.Heard)
	}
	return from
}

// fetches returns the number of requests that fetch a blob from the source, and whether all
// targets share them.
func (u *uploads) fetches(b content.Descriptor) (requests int, shared bool) {
	if far, is := u.source.(source.Distant); is {
		return far.Fetches(b)
	}
	return 0, false
}

// probeFrom is the number of bytes of blobs, on their way to one registry, that makes it worth
// two requests to learn that they need not be hashed here: a core hashes 64 MiB in
// 40 ms, and a request to a registry nearby takes 20.
const probeFrom = 64 << 20

// isWorthProbing reports whether to ask a registry, before the first upload, if it checks
// digests.
func (u *uploads) isWorthProbing(registry string, c source.Content) bool {
	return !c.Verified() && u.outgoing[registry] >= probeFrom
}

// release continues the deliveries that waited for a blob.
func (u *uploads) release(one *upload) error {
	u.mu.Lock()
	var ready []*delivery
	for _, to := range one.recipients {
		if to.err != nil {
			to.sending.Spare()
		}
		for _, d := range to.waiting {
			if d.waits.failure == nil && !(isMissing(to.err) && d.waits.spared[one.digest]) {
				d.waits.failure = to.err
			}
			if d.waits.pending--; d.waits.pending == 0 {
				ready = append(ready, d)
			}
		}
		to.waiting = nil
	}
	u.mu.Unlock()
	for _, d := range ready {
		if err := u.arrived(d, d.waits.failure); err != nil {
			return err
		}
	}
	return nil
}

func isMissing(err error) bool {
	var missing *engine.MissingBlobError
	var left *engine.NeedsBaseError
	return errors.As(err, &missing) || errors.As(err, &left)
}
