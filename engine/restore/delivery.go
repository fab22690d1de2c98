package restore

import (
	"context"
	"errors"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// delivery is one artifact on its way to one repository.
type delivery struct {
	*route
	repo *registry.Repository // is asked; nil until it is walked
	to   target               // is pushed to

	visit  *graph.Visit
	refers []digest.Digest // referrers that go along, sorted
	old    []digest.Digest // indexes of it that were rewritten

	parent *delivery   // the artifact of this run that it is attached to, if any
	beside []*delivery // the deliveries whose parent this is

	found    finding
	waits    wait
	repeated bool // some of it was found missing after its push, and is pushed once more
	open     int  // of it and of those beside it, how many have no outcome; before they are counted -1 if it has one; guarded by ledger.mu
	done     bool // it is whole in the target
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

// wait counts the blobs that a delivery waits for; guarded by uploads.mu.
type wait struct {
	pending int                    // uploads
	spared  map[digest.Digest]bool // layers that need not come
	failure error                  // of an upload
}

// manifestKey is one manifest or blob in one repository of a target.
type manifestKey struct {
	repository string // with its registry
	digest     digest.Digest
}

// at returns the key of a manifest in the repository that the delivery goes to.
func (d *delivery) at(of digest.Digest) manifestKey { return manifestKey{d.repository(), of} }

// lacks tells whether a manifest of the delivery has to be pushed.
func (d *delivery) lacks(v *graph.Visit) bool { return !d.found.present || d.found.lacks[v] }

func (d *delivery) unchanged() bool {
	return d.err == nil && !d.repeated && (d.found.skipped || d.found.present && len(d.found.lacks) == 0)
}

// overwrote tells whether the delivery moved a tag that had another digest, or would.
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
	return d.repo.Resolve(ctx, d.reference())
}

// isWalked tells whether the graph of the delivery is known.
func (d *delivery) isWalked() bool { return d.visit != nil && d.visit.Err == nil }
