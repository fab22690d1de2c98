package engine

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// uploadKey names one blob on its way to one registry.
type uploadKey struct {
	registry string
	digest   digest.Digest
	size     int64
}

// upload is one blob that one registry lacks, wherever in it the blob is
// needed: it is sent to the first place and mounted from there into the others.
type upload struct {
	never bool // of a pipe: nothing came
	uploadKey
	blob   descriptor
	places []*place // never empty
	taken  bool     // of a pipe: the right bytes came; the feeding goroutine's alone
	err    error    // of a pipe: what was wrong with those that came
}

// place is a repository that needs a blob, and who waits for it there.
type place struct {
	repo    *registry.Repository
	path    string
	waiting []*delivery
	fresh   bool        // nothing is there yet
	mounted atomic.Bool // the registry says so
	sending sending
	err     error
}

// enqueue notes the blobs that a delivery waits for.
func (r *restore) enqueue(d *delivery) {
	r.each(d, d.visit, func(v *visit) {
		if !d.lacking(v) {
			return
		}
		for _, b := range v.blobs() {
			r.await(d, b.descriptor)
		}
		if r.in.stream != nil && !v.node.index {
			d.spare(v.leaves)
		}
	})
}

// spare notes layers of a pipe that need not come.
func (d *delivery) spare(layers []*blob) {
	for _, layer := range layers {
		if d.spares == nil {
			d.spares = make(map[digest.Digest]bool)
		}
		d.spares[layer.digest] = true
	}
}

// sure lists the blobs below a manifest that the input has: of a pipe it is not known
// whether layers come that need not.
func (r *restore) sure(v *visit) []*blob {
	if r.in.stream != nil && !v.node.index {
		return v.node.blobs
	}
	return v.blobs()
}

func (r *restore) await(d *delivery, b descriptor) {
	key := uploadKey{d.target.Registry, b.digest, b.size}
	u := r.uploads[key]
	if u == nil {
		u = &upload{uploadKey: key, blob: b}
		r.uploads[key] = u
		r.order = append(r.order, u)
		r.outgoing[u.registry] = bounds.Sum(r.outgoing[u.registry], b.size)
	}
	p := r.placeOf(u, d)
	if p == u.places[0] { // the others mount it
		p.sending.expect()
	}
	if len(p.waiting) == 0 || p.waiting[len(p.waiting)-1] != d {
		p.waiting = append(p.waiting, d)
		d.pending++
	}
}

func (r *restore) placeOf(u *upload, d *delivery) *place {
	for _, p := range u.places {
		if p.path == d.path {
			return p
		}
	}
	p := &place{repo: d.repo, path: d.path, fresh: d.fresh, sending: sending{progress: r.Progress, size: u.size}}
	u.places = append(u.places, p)
	return p
}

// opener gives the bytes of a blob, from the start each time, and tells heard how
// many were read. Its error is final.
type opener func(heard func(int64)) (io.ReadCloser, error)

// send brings a blob to every place that needs it. The first place that has the blob
// is where the others mount it from.
func (r *restore) send(ctx context.Context, u *upload, open opener) error {
	if err := r.transfer(ctx, u, open); err != nil {
		return err
	}
	return r.sent(u)
}

// transfer does the sending; what went wrong in a place is noted there.
func (r *restore) transfer(ctx context.Context, u *upload, open opener) error {
	var home *place
	for _, p := range u.places {
		p.err = r.sendTo(ctx, u, p, home, open)
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if p.err == nil && home == nil {
			home = p
		}
	}
	return nil
}

func (r *restore) sendTo(ctx context.Context, u *upload, p, home *place, open opener) error {
	desc := u.blob.oci()
	if home != nil {
		again := func() (io.ReadCloser, error) {
			heard := p.sending.begin()
			if body, err := open(heard); !errors.Is(err, ErrSpent) {
				return body, err
			}
			return fetchVerified(ctx, home.repo, u.blob, heard)
		}
		mounted, err := p.repo.MountOrPush(ctx, desc, home.path, again)
		p.mounted.Store(mounted)
		if err == nil && !mounted {
			r.pushed(u.registry, u.blob)
		}
		return err
	}
	has, err := p.has(ctx, desc)
	if has {
		p.sending.spare() // or a bar would wait for bytes that never move
	}
	if err != nil || has {
		return err
	}
	r.Progress.Moving(p.waiting[0].name)
	if err := p.repo.PushBlob(ctx, desc, func() (io.ReadCloser, error) { return open(p.sending.begin()) }); err != nil {
		return r.trace(u.blob, err)
	}
	r.pushed(u.registry, u.blob)
	return nil
}

// has tells whether a place has a blob, without asking where it cannot.
func (p *place) has(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	if p.fresh {
		return false, nil
	}
	return p.repo.HasBlob(ctx, desc)
}

// layoutBlob opens a blob of the input, or what a descriptor has of it in itself where
// the input has it not.
func (r *restore) layoutBlob(b descriptor) (store.Blob, error) {
	body, err := r.in.layoutBlob(b)
	if errors.Is(err, fs.ErrNotExist) {
		if data := r.graph.embedded(b); data != nil {
			return store.BlobOf(data), nil
		}
	}
	return body, err
}

// trace looks whether a refused upload is the input's fault: what a registry
// refuses is hashed here, and a blob that is not what it is called is named.
func (r *restore) trace(b descriptor, refusal error) error {
	if refusal == nil || r.in.stream != nil {
		return refusal
	}
	body, err := r.layoutBlob(b)
	if err != nil {
		return corrupt(err)
	}
	hash := b.digest.Algorithm().Hash()
	_, err = io.Copy(hash, body)
	if err = errors.Join(err, body.Close()); err == nil {
		err = checkHash(b, hash)
	}
	if err != nil {
		return corrupt(err)
	}
	return refusal
}

// sent lets those go on who waited for a blob.
func (r *restore) sent(u *upload) error {
	r.mu.Lock()
	var ready []*delivery
	for _, p := range u.places {
		if p.err != nil {
			p.sending.spare()
		}
		for _, d := range p.waiting {
			if d.failure == nil && !(u.never && d.spares[u.digest]) {
				d.failure = p.err
			}
			if d.pending--; d.pending == 0 {
				ready = append(ready, d)
			}
		}
		p.waiting = nil
	}
	r.mu.Unlock()
	for _, d := range ready {
		if err := r.ready(d); err != nil {
			return err
		}
	}
	return nil
}

// ready queues the manifests of a delivery whose blobs are all there or failed, ahead
// of the blobs of others: the sooner an artifact is whole the better, and lists of
// referrers settle while something else is sent. They are completed aside.
func (r *restore) ready(d *delivery) error {
	if r.holds(d) {
		return nil
	}
	if d.failure != nil || d.skipped {
		return r.settle(r.pool.ctx, d, d.failure)
	}
	r.pool.addUrgent(d.target.Registry, func(ctx context.Context) error {
		err := r.putManifests(ctx, d)
		if err != nil || len(r.lists(d, d.lacking)) == 0 {
			return r.finish(ctx, d, err)
		}
		r.pool.aside(func(ctx context.Context) error {
			err := r.putLists(ctx, d)
			r.pool.addUrgent(d.target.Registry, func(ctx context.Context) error { return r.finish(ctx, d, err) })
			return nil
		})
		return nil
	})
	return nil
}

// finish pushes the tag of a delivery that is there but for that, unless err says
// why it is not.
func (r *restore) finish(ctx context.Context, d *delivery, err error) error {
	if err == nil {
		err = r.putTag(ctx, d)
	}
	var unlisted *registry.UnlistedError
	switch {
	case !r.Verify:
	case err == nil:
		err = r.readBack(ctx, d)
	case errors.As(err, &unlisted): // that much was read back already
		err = &ReadbackError{Reference: d.destination(), Err: err}
	}
	return r.settle(ctx, d, err)
}
