package restore

import (
	"context"
	"errors"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore/route"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// delivery is one artifact on its way to one repository.
type delivery struct {
	*route.Route
	repo *registry.Repository // that is asked; nil until the delivery is walked
	to   target               // that is pushed to

	visit  *graph.Visit    // nil if it was not walked
	refers []digest.Digest // referrers that go along, sorted
	old    []digest.Digest // indexes of it that were rewritten

	finder *delivery   // the artifact whose walk found this attached manifest, if any
	parent *delivery   // the artifact of this run that it is attached to, if any
	beside []*delivery // the deliveries whose parent this is

	found    finding
	waits    wait
	repeated bool // a part was missing after the push, and is pushed again
	open     int  // deliveries without an outcome, of this one and those beside it; before they are counted, -1 if it has one; guarded by ledger.mu
	done     bool // it is whole in the target
	unjudged bool // its signatures are still to come; guarded by run.mu once blobs are sent
	signedBy []string
	short    error // why it lacks some of its referrers
	err      error
}

// finding holds the answers of a target about a delivery.
type finding struct {
	answer  *answer               // to the delivery's reference; nil if it was not asked first
	fresh   bool                  // the registry knows no such repository yet
	present bool                  // the target has the root
	lacks   map[*graph.Visit]bool // and lacks these all the same
	changes bool                  // the tag has another digest
	was     digest.Digest         // that one
	skipped bool                  // and stays as it is
}

// answer is the answer of a target to a reference.
type answer struct {
	desc ocispec.Descriptor
	err  error
}

// wait counts the blobs that a delivery waits for; guarded by uploads.mu.
type wait struct {
	pending int                    // uploads
	spared  map[digest.Digest]bool // layers that the target can do without
	failure error                  // of an upload
}

// manifestKey identifies one manifest or blob in one repository of a target.
type manifestKey struct {
	repository string // with its registry
	digest     digest.Digest
}

// at returns the key of a manifest in the repository that the delivery goes to.
func (d *delivery) at(of digest.Digest) manifestKey { return manifestKey{d.Repository(), of} }

// lacks reports whether a manifest of the delivery has to be pushed.
func (d *delivery) lacks(v *graph.Visit) bool { return !d.found.present || d.found.lacks[v] }

// spare records layers that the target can do without.
func (d *delivery) spare(layers []*graph.Blob) {
	for _, layer := range layers {
		if d.waits.spared == nil {
			d.waits.spared = make(map[digest.Digest]bool)
		}
		d.waits.spared[layer.Digest] = true
	}
}

// isRefused reports whether a policy does not accept the delivery.
func (d *delivery) isRefused() bool {
	fault, is := errors.AsType[*engine.ArtifactError](d.Fault)
	return is && fault.Op == engine.OpVerify
}

// unverified returns the error of an artifact that no policy accepts.
func unverified(name string, err error) error {
	return &engine.ArtifactError{Reference: name, Op: engine.OpVerify, Err: err}
}

// isShort reports whether err says that an artifact is in the target and lacks only
// referrers.
func isShort(err error) bool {
	_, is := errors.AsType[*engine.ReferrersError](err)
	return is
}

func (d *delivery) unchanged() bool {
	return d.err == nil && !d.repeated && (d.found.skipped || d.found.present && len(d.found.lacks) == 0)
}

func (d *delivery) state() engine.State {
	switch {
	case d.err != nil || slices.ContainsFunc(d.beside, func(b *delivery) bool { return b.err != nil }):
		return engine.StateFailed
	case d.unchanged() && !slices.ContainsFunc(d.beside, func(b *delivery) bool { return !b.unchanged() }):
		return engine.StateUnchanged
	case d.found.present || d.found.changes:
		return engine.StateChanged
	}
	return engine.StateNew
}

// overwrote reports whether the delivery moved a tag that had another digest, or would.
func (d *delivery) overwrote() bool {
	var readback *engine.ReadbackError
	return d.found.was != "" && !d.found.skipped && (d.err == nil || errors.As(d.err, &readback))
}

// resolve returns the descriptor that the reference of a delivery has in its target;
// errdef.ErrNotFound if it has none.
func (d *delivery) resolve(ctx context.Context) (ocispec.Descriptor, error) {
	switch {
	case d.found.answer != nil:
		return d.found.answer.desc, d.found.answer.err
	case d.found.fresh:
		return ocispec.Descriptor{}, errdef.ErrNotFound
	}
	return d.repo.Resolve(ctx, d.Reference())
}

// isWalked reports whether the graph of the delivery is known.
func (d *delivery) isWalked() bool { return d.visit != nil && d.visit.Err == nil }

// outcome returns the report of a delivery and those beside it, once all of them are done.
func (d *delivery) outcome() engine.ArtifactReport {
	seen := make(map[digest.Digest]bool)
	r := engine.ArtifactReport{Reference: d.Name, Target: d.Destination(), Digest: d.Root.Digest, Err: d.err, Unchanged: d.unchanged(),
		Layout: d.From.Layout, Mirror: d.From.Mirror, From: d.From.Found, Pinned: d.From.Ref.Tag != "" && d.From.Ref.Digest != "", SignedBy: d.signedBy}
	if d.overwrote() {
		r.Overwritten = d.found.was
	}
	d.countInto(&r, seen)
	for _, b := range d.beside {
		b.countInto(&r, seen)
		r.Unchanged = r.Unchanged && b.unchanged()
		if b.err != nil && r.Err == nil {
			r.Err = &engine.ReferrersError{Reference: d.Name, Err: b.err}
		}
	}
	return r
}

// countInto adds the referrers and the bytes of a delivery. seen has the manifests and
// blobs that were counted. One that a policy refuses counts nothing, also if a pipe brought its
// signatures only after it was walked.
func (d *delivery) countInto(r *engine.ArtifactReport, seen map[digest.Digest]bool) {
	if d.Fault != nil || !d.isWalked() {
		return
	}
	if !d.found.skipped {
		came := len(d.refers)
		if d.parent != nil {
			came++
		}
		r.Expected += came
		if d.short != nil {
			d.visit.Linked(func(v *graph.Visit) { r.Expected += v.Lost })
		}
		if d.err == nil || isShort(d.err) {
			r.Referrers += came
		}
	}
	d.visit.Linked(func(v *graph.Visit) {
		for _, part := range v.Parts() {
			if !seen[part.Digest] {
				seen[part.Digest] = true
				r.Bytes = bounds.Sum(r.Bytes, part.Size)
			}
		}
	})
}
