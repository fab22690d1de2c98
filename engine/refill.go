package engine

import (
	"context"
	"io"
	"slices"
	"sync/atomic"

	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// A registry may say that it has what it has not: it granted a mount, or answers a
// HEAD, and lost the blob. It shows when a manifest that names it is refused.

// putAgain puts a manifest that was refused once more, with what it names: first what
// the target says it lacks. Where it says that it lacks nothing, another manifest may
// have brought that meanwhile; where it refuses the manifest all the same, it gets all.
func (r *restore) putAgain(ctx context.Context, d *delivery, v *visit, data []byte, reference string, refusal error) error {
	filled, err := r.refill(ctx, d, v)
	if err != nil {
		return err
	}
	if !filled && !saysUnknown(refusal) {
		return refusal
	}
	err = d.repo.PushManifest(ctx, v.node.oci(), data, reference)
	if filled || v.sparse || !saysUnknown(err) {
		return err
	}
	if err := r.refillAll(ctx, d, v, err); err != nil {
		return err
	}
	return d.repo.PushManifest(ctx, v.node.oci(), data, reference)
}

// refill asks a target for each part of a manifest that it refuses, uploads the blobs
// that it lacks and puts the manifests below that are gone or named those. It tells
// whether anything was missing.
func (r *restore) refill(ctx context.Context, d *delivery, v *visit) (bool, error) {
	var filled atomic.Bool
	for _, level := range levels([]*visit{v}, make(map[*visit]bool)) {
		err := sideBySide(r.Concurrency, level, func(w *visit) error {
			missing, err := r.refillBlobs(ctx, d, w, false)
			if err != nil {
				return err
			}
			if w != v {
				if missing, err = r.putMissing(ctx, d, w, missing); err != nil {
					return err
				}
			}
			if missing {
				filled.Store(true)
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return filled.Load(), nil
}

// refillAll sends all manifests that one names, and all blobs if it is those that are
// unknown, to a registry that says it has them and refuses what names them.
func (r *restore) refillAll(ctx context.Context, d *delivery, v *visit, refusal error) error {
	if !registry.HasCode(refusal, unknownManifest) {
		if _, err := r.refillBlobs(ctx, d, v, true); err != nil {
			return err
		}
	}
	return sideBySide(r.Concurrency, v.below(), func(w *visit) error {
		_, err := r.putMissing(ctx, d, w, true)
		return err
	})
}

// unknownManifest is the code for a child or a subject that is not there.
const unknownManifest = "MANIFEST_UNKNOWN"

// saysUnknown tells whether a manifest was refused for what it names.
func saysUnknown(refusal error) bool {
	return slices.ContainsFunc([]string{"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", unknownManifest}, func(code string) bool { return registry.HasCode(refusal, code) })
}

// refillBlobs uploads those of a manifest's blobs that the target lacks, or all.
func (r *restore) refillBlobs(ctx context.Context, d *delivery, v *visit, all bool) (missing bool, err error) {
	for _, b := range r.sure(v) {
		has := false
		if !all {
			if has, err = d.repo.HasBlob(ctx, b.oci()); err != nil {
				return missing, err
			}
		}
		if has {
			continue
		}
		missing = true
		if err := r.resend(ctx, d, b.descriptor); err != nil {
			return missing, err
		}
	}
	return missing, nil
}

// putMissing puts a manifest by its digest that is gone, or whose parts were.
func (r *restore) putMissing(ctx context.Context, d *delivery, v *visit, missing bool) (bool, error) {
	if !missing {
		has, err := d.repo.HasManifest(ctx, v.node.oci())
		if err != nil || has {
			return false, err
		}
	}
	data, err := r.bytes(ctx, v)
	if err != nil {
		return true, err
	}
	r.pushed(d.target.Registry, v.node.descriptor)
	return true, d.repo.PushManifest(ctx, v.node.oci(), data, v.node.digest.String())
}

// resend uploads a blob that a repository was to have, once, and mounts nothing: what
// was mounted may be what is missing.
func (r *restore) resend(ctx context.Context, d *delivery, b descriptor) error {
	_, err := r.resent.do(ctx, d.place(b.digest), func() (struct{}, error) {
		u := r.uploads[uploadKey{d.target.Registry, b.digest, b.size}]
		if u != nil && slices.ContainsFunc(u.places, func(p *place) bool { return p.path == d.path && p.mounted.Load() }) {
			d.repo.DisableMounts()
		}
		sending := &sending{progress: r.Progress, size: b.size}
		err := d.repo.PushBlob(ctx, b.oci(), func() (io.ReadCloser, error) { return r.reopen(ctx, d, b, u, sending.begin()) })
		if err == nil {
			r.pushed(d.target.Registry, b)
		} else {
			sending.spare()
		}
		return struct{}{}, r.trace(b, err)
	})
	return err
}

// reopen opens a blob for another upload: from the input, or, where that was a pipe,
// from another repository that got it.
func (r *restore) reopen(ctx context.Context, d *delivery, b descriptor, u *upload, heard func(int64)) (io.ReadCloser, error) {
	if r.in.stream == nil {
		return r.open(ctx, d.repo, d.target.Registry, b, heard)
	}
	if u != nil {
		for _, p := range u.places {
			if p.path == d.path {
				continue
			}
			if body, err := fetchVerified(ctx, p.repo, b, heard); err == nil {
				return body, nil
			}
		}
	}
	return nil, ErrSpent
}
