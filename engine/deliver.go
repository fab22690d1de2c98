package engine

import (
	"context"
	"errors"
	"net/http"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/store"
)

// placeKey is one manifest in one repository of a target.
type placeKey struct {
	repository string
	digest     digest.Digest
}

// referrersKey is one list of referrers: the same subject may have others in
// another repository that is restored to the same place.
type referrersKey struct {
	placeKey
	source string
}

// forget lets go of a manifest's bytes once they are read: the input has them.
func (r *restore) forget(ocispec.Descriptor, []byte) (bool, error) { return true, nil }

// put pushes a manifest of a delivery after what it points at. One with
// referrers goes out by digest, then its referrers, and then by tag, so that the
// tag says that all is there.
func (r *restore) put(ctx context.Context, d *delivery, v *visit, tag string) error {
	var group errgroup.Group
	for _, child := range v.children {
		group.Go(func() error { return r.put(ctx, d, child, "") })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	referrers := r.wanted(d, v)
	if d.lacking(v) && (tag == "" || len(referrers) > 0) {
		if err := r.putDigest(ctx, d, v); err != nil {
			return err
		}
	}
	if len(referrers) > 0 {
		if err := r.putReferrers(ctx, d, v, referrers); err != nil {
			return err
		}
	}
	if d.lacking(v) && tag != "" {
		return r.push(ctx, d, v, tag)
	}
	return nil
}

// putDigest pushes a manifest by its digest, once for each repository.
func (r *restore) putDigest(ctx context.Context, d *delivery, v *visit) error {
	key := placeKey{d.target.Registry + "/" + d.path, v.node.digest}
	_, err := r.manifests.do(ctx, key, func() (struct{}, error) {
		return struct{}{}, r.push(ctx, d, v, v.node.digest.String())
	})
	return err
}

func (r *restore) push(ctx context.Context, d *delivery, v *visit, reference string) error {
	if r.dry != nil {
		r.dry.count(1, v.node.size)
		return nil
	}
	data, err := r.bytes(ctx, v)
	if err != nil {
		return err
	}
	if err := d.repo.PushManifest(ctx, v.node.oci(), data, reference); err != nil {
		var refusal *errcode.ErrorResponse
		if v.sparse && errors.As(err, &refusal) && refusal.StatusCode/100 == 4 && refusal.StatusCode != http.StatusUnauthorized {
			return &SparseError{Reference: d.destination(), Err: err}
		}
		return err
	}
	r.moved.Add(int64(len(data)))
	return nil
}

// bytes returns those of a manifest, which the input has unless it was rewritten.
func (r *restore) bytes(ctx context.Context, v *visit) ([]byte, error) {
	if v.node.data != nil {
		return v.node.data, nil
	}
	data, err := r.in.manifest(ctx, v.node.oci())
	if err != nil {
		return nil, &CorruptError{Err: err}
	}
	return data, nil
}

// putReferrers pushes what refers to v and, where the target has no referrers
// API, completes the list under the referrers tag.
func (r *restore) putReferrers(ctx context.Context, d *delivery, v *visit, referrers []*visit) error {
	key := referrersKey{placeKey{d.target.Registry + "/" + d.path, v.node.digest}, d.source}
	_, err := r.referrers.do(ctx, key, func() (struct{}, error) {
		var group errgroup.Group
		lacking := false
		for _, w := range referrers {
			lacking = lacking || d.lacking(w)
			group.Go(func() error { return r.put(ctx, d, w, "") })
		}
		if err := group.Wait(); err != nil || !lacking {
			return struct{}{}, err
		}
		return struct{}{}, r.list(ctx, d, v, referrers)
	})
	return err
}

// list makes the target's list of v's referrers name them all.
func (r *restore) list(ctx context.Context, d *delivery, v *visit, referrers []*visit) error {
	api, err := r.hasAPI(ctx, d)
	if err != nil || api {
		return err
	}
	if r.dry != nil {
		r.dry.count(2, 0) // GET and PUT
		return nil
	}
	add := make([]ocispec.Descriptor, len(referrers))
	for i, w := range referrers {
		if add[i], err = r.describe(ctx, w); err != nil {
			return err
		}
	}
	return d.repo.MergeReferrers(ctx, v.node.oci(), add)
}

// describe makes the descriptor by which a list of referrers names a manifest:
// with its artifact type and annotations (distribution-spec, "Referrers Tag Schema").
func (r *restore) describe(ctx context.Context, v *visit) (ocispec.Descriptor, error) {
	desc := v.node.oci()
	data, err := r.in.manifest(ctx, desc)
	if err != nil {
		return desc, &CorruptError{Err: err}
	}
	m, err := store.ParseManifest(desc, data)
	desc.ArtifactType, desc.Annotations = m.Kind(), m.Annotations
	return desc, err
}
