package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// placeKey is one manifest in one repository of a target.
type placeKey struct {
	repository string
	digest     digest.Digest
}

// pushKey is one push of a manifest: again is set for one that was found missing.
type pushKey struct {
	placeKey
	again bool
}

// forget lets go of a manifest's bytes once they are read: the input has them.
func (r *restore) forget(ocispec.Descriptor, []byte) (bool, error) { return true, nil }

// put pushes the manifests of a delivery: children before what names them, a
// manifest before what refers to it, the lists of what refers to them, and the tag
// at the end, so that it says that all is there.
func (r *restore) put(ctx context.Context, d *delivery) error {
	if err := r.putManifests(ctx, d); err != nil {
		return err
	}
	if err := r.putLists(ctx, d); err != nil {
		return err
	}
	return r.putTag(ctx, d)
}

// putManifests pushes all but the tag. A root goes out by its tag alone if no list of
// referrers needs it before.
func (r *restore) putManifests(ctx context.Context, d *delivery) error {
	met := make(map[*visit]bool)
	if err := r.putWith(ctx, d, d.visit.below(), met); err != nil {
		return err
	}
	if d.tag == "" || d.visit.node.subject != "" || len(r.wanted(d, d.visit)) > 0 {
		return r.putWith(ctx, d, []*visit{d.visit}, met)
	}
	if d.root.digest.Algorithm() == digest.Canonical {
		return nil
	}
	// By a tag a registry keeps it under the digest of its own algorithm.
	err := r.putWith(ctx, d, []*visit{d.visit}, met)
	if refusesContent(err) {
		r.Progress.Notice(fmt.Sprintf("%s: the registry does not keep it under its digest, %s", d.destination(), d.root.digest))
		return nil
	}
	return err
}

func (r *restore) putTag(ctx context.Context, d *delivery) error {
	if d.tag == "" || !d.lacking(d.visit) {
		return nil
	}
	return r.push(ctx, d, d.visit, d.tag)
}

// putWith pushes manifests by their digests with what is below them, then what
// refers to any of these, then what refers to that. It goes by waves because
// children and referrers together may lead in a circle. met are those that have
// had their wave.
func (r *restore) putWith(ctx context.Context, d *delivery, some []*visit, met map[*visit]bool) error {
	fresh, err := r.putGraphs(ctx, d, some, met)
	for err == nil && len(fresh) > 0 {
		var referrers []*visit
		for _, v := range fresh {
			referrers = append(referrers, r.wanted(d, v)...)
		}
		fresh, err = r.putGraphs(ctx, d, referrers, met)
	}
	return err
}

// putGraphs pushes manifests after what is below them, and returns those that were
// not met before.
func (r *restore) putGraphs(ctx context.Context, d *delivery, some []*visit, met map[*visit]bool) ([]*visit, error) {
	var fresh []*visit
	for _, level := range levels(some, met) {
		for _, v := range level {
			met[v] = true
		}
		if err := sideBySide(r.Concurrency, level, func(v *visit) error { return r.putDigest(ctx, d, v) }); err != nil {
			return nil, err
		}
		fresh = append(fresh, level...)
	}
	return fresh, nil
}

// levels sorts visits, with those below them, by how much is below each: what a
// manifest names stands in a level before it. Those that were met are left out.
func levels(some []*visit, met map[*visit]bool) [][]*visit {
	var sorted [][]*visit
	ranks := make(map[*visit]int)
	var rank func(v *visit) int
	rank = func(v *visit) int {
		if at, ok := ranks[v]; ok {
			return at
		}
		at := 0
		for _, child := range v.below() {
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

// sideBySide does something for each of many, a few at a time.
func sideBySide[T any](few int, many []T, do func(T) error) error {
	var group errgroup.Group
	group.SetLimit(few)
	for _, one := range many {
		group.Go(func() error { return do(one) })
	}
	return group.Wait()
}

// putDigest pushes a manifest that is lacking by its digest, once for each
// repository.
func (r *restore) putDigest(ctx context.Context, d *delivery, v *visit) error {
	if !d.lacking(v) {
		return nil
	}
	key := pushKey{d.place(v.node.digest), d.again}
	_, err := r.manifests.do(ctx, key, func() (struct{}, error) {
		return struct{}{}, r.push(ctx, d, v, v.node.digest.String())
	})
	return err
}

func (r *restore) push(ctx context.Context, d *delivery, v *visit, reference string) error {
	if err := r.offer(ctx, d, v); err != nil {
		return err
	}
	if r.dry != nil {
		r.dry.push(d.target.Registry, v.node)
		return nil
	}
	reading, done := r.pushing.Begin(ctx)
	defer done()
	data, err := r.bytes(reading, v)
	if err != nil {
		return err
	}
	err = d.repo.PushManifest(ctx, v.node.oci(), data, reference)
	if refusesContent(err) {
		err = r.putAgain(ctx, d, v, data, reference, err)
	}
	if err != nil {
		if v.sparse && refusesContent(err) {
			return &SparseError{Reference: d.destination(), Err: err}
		}
		return err
	}
	r.pushed(d.target.Registry, v.node.descriptor)
	return nil
}

// refusesContent tells a registry's no to what a manifest says from one to who sends
// it, or when, or how much.
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

// bytes returns those of a manifest, which the input has unless it was rewritten.
func (r *restore) bytes(ctx context.Context, v *visit) ([]byte, error) {
	if v.node.data != nil {
		return v.node.data, nil
	}
	data, err := r.in.manifest(ctx, v.node.oci())
	if err != nil {
		return nil, corrupt(err)
	}
	return data, nil
}
