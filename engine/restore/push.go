package restore

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// pusher pushes the manifests and tags of deliveries whose blobs are in their targets.
type pusher struct {
	source   source.Source
	progress engine.Progress
	workers  int // for one delivery
	sent     *traffic
	uploads  *uploads // sends the blobs that a target lost

	manifests pool.Once[pushKey, struct{}] // that were pushed by digest
	lists     pool.Once[listKey, struct{}] // of referrers that were completed
}

// pushKey is one push of a manifest, the first or, repeated, one that was found missing.
type pushKey struct {
	manifestKey
	repeated bool
}

// push pushes the manifests of a delivery: children before the indexes that name them, a
// manifest before its referrers, the lists of referrers, and the tag at the end, so that
// it says that all is there.
func (p *pusher) push(ctx context.Context, d *delivery) error {
	if err := p.pushManifests(ctx, d); err != nil {
		return err
	}
	if err := p.pushLists(ctx, d); err != nil {
		return err
	}
	return p.pushTag(ctx, d)
}

// pushManifests pushes all but the tag. A root goes out by its tag alone if no list of
// referrers needs it before.
func (p *pusher) pushManifests(ctx context.Context, d *delivery) error {
	met := make(map[*graph.Visit]bool)
	if err := p.pushWith(ctx, d, d.visit.Below(), met); err != nil {
		return err
	}
	if d.Tag == "" || d.visit.Node.Subject != "" || len(d.visit.Referrers) > 0 {
		return p.pushWith(ctx, d, []*graph.Visit{d.visit}, met)
	}
	if d.Root.Digest.Algorithm() == digest.Canonical {
		return nil
	}
	// By a tag a registry keeps it under the digest of its own algorithm.
	err := p.pushWith(ctx, d, []*graph.Visit{d.visit}, met)
	if refusesContent(err) {
		p.progress.Notice(fmt.Sprintf("%s: the registry does not store it under its digest, %s", d.Destination(), d.Root.Digest))
		return nil
	}
	return err
}

func (p *pusher) pushTag(ctx context.Context, d *delivery) error {
	if d.Tag == "" || !d.lacks(d.visit) {
		return nil
	}
	return p.pushAs(ctx, d, d.visit, d.Tag)
}

// pushWith pushes manifests by their digests with the manifests below them, then the
// referrers of any of these, then the referrers of those. It goes by waves because
// children and referrers together may lead in a circle. met are those that have
// had their wave.
func (p *pusher) pushWith(ctx context.Context, d *delivery, some []*graph.Visit, met map[*graph.Visit]bool) error {
	fresh, err := p.pushGraphs(ctx, d, some, met)
	for err == nil && len(fresh) > 0 {
		var referrers []*graph.Visit
		for _, v := range fresh {
			referrers = append(referrers, v.Referrers...)
		}
		fresh, err = p.pushGraphs(ctx, d, referrers, met)
	}
	return err
}

// pushGraphs pushes manifests after the manifests below them, and returns those that were
// not met before.
func (p *pusher) pushGraphs(ctx context.Context, d *delivery, some []*graph.Visit, met map[*graph.Visit]bool) ([]*graph.Visit, error) {
	var fresh []*graph.Visit
	for _, level := range levels(some, met) {
		for _, v := range level {
			met[v] = true
		}
		if err := pool.Each(p.workers, level, func(v *graph.Visit) error { return p.pushOnce(ctx, d, v) }); err != nil {
			return nil, err
		}
		fresh = append(fresh, level...)
	}
	return fresh, nil
}

// levels sorts visits, with those below them, by how much is below each: the children of
// a manifest stand in a level before it. Those that were met are left out.
func levels(some []*graph.Visit, met map[*graph.Visit]bool) [][]*graph.Visit {
	var sorted [][]*graph.Visit
	ranks := make(map[*graph.Visit]int)
	var rank func(v *graph.Visit) int
	rank = func(v *graph.Visit) int {
		if at, ok := ranks[v]; ok {
			return at
		}
		at := 0
		for _, child := range v.Below() {
			if !met[child] {
				at = max(at, rank(child)+1)
			}
		}
		if ranks[v] = at; at == len(sorted) {
			sorted = append(sorted, nil)
		}
		sorted[at] = append(sorted[at], v)
		return at
	}
	for _, v := range some {
		if !met[v] {
			rank(v)
		}
	}
	return sorted
}

// pushOnce pushes a manifest that is lacking by its digest, once for each
// repository.
func (p *pusher) pushOnce(ctx context.Context, d *delivery, v *graph.Visit) error {
	if !d.lacks(v) {
		return nil
	}
	_, err := p.manifests.Do(ctx, pushKey{d.at(v.Node.Digest), d.repeated}, func() (struct{}, error) {
		return struct{}{}, p.pushAs(ctx, d, v, v.Node.Digest.String())
	})
	return err
}

// pushAs pushes a manifest under a reference. If it is refused for parts that the target
// lost, it is pushed again behind these.
func (p *pusher) pushAs(ctx context.Context, d *delivery, v *graph.Visit, reference string) error {
	if err := p.offer(ctx, d, v); err != nil {
		return err
	}
	err := p.pushManifest(ctx, d, v, reference)
	if refusesContent(err) {
		err = p.repush(ctx, d, v, reference, err)
	}
	if err != nil {
		if v.Sparse && refusesContent(err) {
			return &engine.SparseError{Reference: d.Destination(), Err: err}
		}
		return err
	}
	p.sent.add(d.Target.Registry, v.Node.Descriptor)
	return nil
}

func (p *pusher) pushManifest(ctx context.Context, d *delivery, v *graph.Visit, reference string) error {
	read := func(ctx context.Context) ([]byte, error) { return manifestBytes(ctx, p.source, v) }
	return d.to.pushManifest(ctx, v.Node.Descriptor, read, reference)
}

// offer puts children of an index where a registry keeps manifests, if neither their bytes
// nor their media type tell whether they are manifests: they are there as blobs, but a
// client may look for them on either side.
func (p *pusher) offer(ctx context.Context, d *delivery, v *graph.Visit) error {
	for _, leaf := range v.Leaves {
		if !v.Node.Index || oci.IsContent(leaf.MediaType) || leaf.MediaType == "" || leaf.Size == 0 || leaf.Size > origin.MaxLook {
			continue
		}
		_, err := p.manifests.Do(ctx, pushKey{d.at(leaf.Digest), d.repeated}, func() (struct{}, error) {
			return struct{}{}, d.to.offerBlob(ctx, leaf.Descriptor)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// refusesContent reports whether a registry refuses a manifest for its content, and not for the
// sender, the time or the size.
func refusesContent(err error) bool {
	var refusal *errcode.ErrorResponse
	if !errors.As(err, &refusal) || refusal.StatusCode/100 != 4 {
		return false
	}
	switch refusal.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusRequestTimeout,
		http.StatusRequestEntityTooLarge, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return true
}
