package restore

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// A registry may claim to have a blob that it lost: it granted a mount, or answers a HEAD. The
// loss shows when it refuses a manifest that names the blob.

// repush pushes a refused manifest again, after the parts that the target says it lacks. If it
// says that it lacks nothing, another manifest may have brought the parts meanwhile; if it
// refuses the manifest once more, it gets all parts.
func (p *pusher) repush(ctx context.Context, d *delivery, v *graph.Visit, reference string, refusal error) error {
	filled, err := p.refill(ctx, d, v)
	if err != nil {
		return err
	}
	if !filled && !saysUnknown(refusal) {
		return refusal
	}
	err = p.pushManifest(ctx, d, v, reference)
	if filled || v.Sparse || !saysUnknown(err) {
		return err
	}
	if err := p.refillAll(ctx, d, v, err); err != nil {
		return err
	}
	return p.pushManifest(ctx, d, v, reference)
}

// refill asks a target for each part of a manifest that it refuses, uploads the blobs
// that it lacks and pushes the manifests below that are gone or name such blobs. It tells
// whether anything was missing.
func (p *pusher) refill(ctx context.Context, d *delivery, v *graph.Visit) (bool, error) {
	var filled atomic.Bool
	for _, level := range levels([]*graph.Visit{v}, make(map[*graph.Visit]bool)) {
		err := pool.Each(p.workers, level, func(w *graph.Visit) error {
			missing, err := p.sendMissingBlobs(ctx, d, w)
			switch {
			case err != nil || w == v:
			case missing:
				err = p.pushAgain(ctx, d, w)
			default:
				missing, err = p.pushIfMissing(ctx, d, w)
			}
			if missing && err == nil {
				filled.Store(true)
			}
			return err
		})
		if err != nil {
			return false, err
		}
	}
	return filled.Load(), nil
}

// refillAll sends all manifests that v names, and all its blobs if they may be missing, to a
// registry that claims to have them but still refuses v.
func (p *pusher) refillAll(ctx context.Context, d *delivery, v *graph.Visit, refusal error) error {
	if !transport.HasCode(refusal, unknownManifest) {
		for _, b := range p.source.Certain(v) {
			if err := p.uploads.resend(ctx, d, b.Descriptor); err != nil {
				return err
			}
		}
	}
	return pool.Each(p.workers, v.Below(), func(w *graph.Visit) error { return p.pushAgain(ctx, d, w) })
}

// unknownManifest is the error code for a child or a subject that does not exist.
const unknownManifest = "MANIFEST_UNKNOWN"

// saysUnknown reports whether a manifest was refused for the parts that it names.
func saysUnknown(refusal error) bool {
	return slices.ContainsFunc([]string{"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", unknownManifest}, func(code string) bool { return transport.HasCode(refusal, code) })
}

// sendMissingBlobs uploads those of a manifest's blobs that the target lacks.
func (p *pusher) sendMissingBlobs(ctx context.Context, d *delivery, v *graph.Visit) (missing bool, err error) {
	for _, b := range p.source.Certain(v) {
		has, err := d.repo.HasBlob(ctx, b.OCI())
		if err != nil {
			return missing, err
		}
		if has {
			continue
		}
		missing = true
		if err := p.uploads.resend(ctx, d, b.Descriptor); err != nil {
			return missing, err
		}
	}
	return missing, nil
}

// pushIfMissing pushes a manifest by its digest if the target lacks it.
func (p *pusher) pushIfMissing(ctx context.Context, d *delivery, v *graph.Visit) (missing bool, err error) {
	has, err := d.repo.HasManifest(ctx, v.Node.OCI())
	if err != nil || has {
		return false, err
	}
	return true, p.pushAgain(ctx, d, v)
}

// pushAgain pushes a manifest by its digest, once more.
func (p *pusher) pushAgain(ctx context.Context, d *delivery, v *graph.Visit) error {
	p.sent.add(d.Target.Registry, v.Node.Descriptor)
	return p.pushManifest(ctx, d, v, v.Node.Digest.String())
}
