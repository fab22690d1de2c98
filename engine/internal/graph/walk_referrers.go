package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
)

// referrers walks the referrers of v. One that fails is an error beside the others, not
// instead of them; lost counts those that failed.
func (w *walk) referrers(ctx context.Context, v *Visit, depth int) (visits []*Visit, lost int, err error) {
	reading, done := w.lane.Begin(ctx)
	listed, err := v.Origin.Referrers(reading, v.Node.OCI())
	done()
	if err == nil {
		err = w.begin(len(listed))
	}
	if err != nil {
		return nil, 0, err
	}
	// Registries list them in any order; a bundle must not depend on it.
	slices.SortFunc(listed, func(a, b ocispec.Descriptor) int { return cmp.Compare(a.Digest, b.Digest) })
	listed = slices.CompactFunc(listed, func(a, b ocispec.Descriptor) bool { return a.Digest == b.Digest })

	visits = make([]*Visit, len(listed))
	errs := make([]error, len(listed))
	var group errgroup.Group
	group.SetLimit(abreast)
	for i, desc := range listed {
		group.Go(func() error {
			visits[i], errs[i] = w.referrer(ctx, v, desc, depth+1)
			return nil
		})
	}
	_ = group.Wait() // its functions never fail: errs has them
	visits = slices.DeleteFunc(visits, func(v *Visit) bool { return v == nil })
	for _, err := range errs {
		if err != nil {
			lost++
		}
	}
	return visits, lost, cmp.Or(errs...)
}

// referrer walks one referrer, nil if it turns out not to refer to v at all: a
// list under the referrers tag may be stale, and a manifest alone says what its
// subject is.
func (w *walk) referrer(ctx context.Context, v *Visit, desc ocispec.Descriptor, depth int) (*Visit, error) {
	s, n := w.scope, v.Node
	listed := desc.ArtifactType == "" || s.Wants(desc.ArtifactType)
	if !listed && s.Policy == nil || !s.Admits(desc.Digest) {
		return nil, nil
	}
	at := rootStop(desc, depth)
	at.of = n.Digest
	r, err := w.recordedReferrer(ctx, &at)
	if err != nil {
		return nil, err
	}
	if r.Subject != n.Digest {
		w.Notice(fmt.Sprintf("%s@%s is listed as a referrer of %s but does not refer to it; skipped", w.origin.Repository(), desc.Digest, n.Digest))
		return nil, nil
	}
	signs, err := w.addCandidate(ctx, s.Policy, v, r)
	if err != nil {
		return nil, err
	}
	if !signs && !(listed && s.Wants(r.kind)) {
		return nil, nil
	}
	found, err := w.within(s.ForReferrers()).visit(ctx, v, at)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// recordedReferrer returns the node of a referrer, as the output records it or as it is read. The
// entry of a name does not say what its manifest refers to.
func (w *walk) recordedReferrer(ctx context.Context, at *stop) (*Node, error) {
	at.signs = w.scope.Policy != nil
	if n := w.recorded(w.scope.ForReferrers(), *at); n != nil && n.Subject != "" && !at.signs {
		return n, nil
	}
	at.exact = true
	return w.node(ctx, w.origin, *at)
}

// subject walks the subject of v: a signature with a tag of its own is worth little without
// the image that it signs. nil: it is not there, and need not be
// (distribution-spec, "Pushing Manifests with Subject"), unless a lock pins it.
func (w *walk) subject(ctx context.Context, v *Visit, depth int) (*Visit, error) {
	if err := w.begin(1); err != nil {
		return nil, err
	}
	at := rootStop(v.Node.leads.OCI(), depth)
	_, err := w.node(ctx, w.origin, at)
	if absent := errors.Is(err, errdef.ErrNotFound) || errors.Is(err, fs.ErrNotExist); absent && !w.scope.Locked {
		if !origin.OnDisk(w.origin) {
			w.Notice(fmt.Sprintf("%s@%s refers to %s, which does not exist", w.origin.Repository(), v.Node.Digest, v.Node.Subject))
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := w.within(w.scope.ForSubject()).visit(ctx, v, at)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// attachments walks the manifests that cosign attached to v by tags. lost counts those that
// failed.
func (w *walk) attachments(ctx context.Context, v *Visit, depth int) (all []attachment, lost int, err error) {
	refs, err := w.origin.Attached(ctx, w.attachee(v.Node.Digest))
	if err != nil {
		return nil, 0, err
	}
	for _, ref := range refs {
		found, failure := w.attachment(ctx, v, ref, depth+1)
		switch {
		case failure != nil:
			lost++
			err = cmp.Or(err, failure)
		case found != nil:
			all = append(all, attachment{ref.EntryName(), found})
		}
	}
	return all, lost, err
}

// attachment walks the manifest under one of cosign's tags, nil if it is not selected. It
// has no artifact type: the media types of its layers tell its kind.
func (w *walk) attachment(ctx context.Context, v *Visit, ref config.Reference, depth int) (*Visit, error) {
	s := w.scope
	desc, data, err := w.find(ctx, w.origin, ref)
	if err != nil || !s.Admits(desc.Digest) {
		return nil, err
	}
	at := rootStop(desc, depth).with(data)
	at.signs = isSignature(ref) && s.Policy != nil
	n := w.recorded(s, at)
	if n == nil || !s.EveryType || at.signs {
		at.exact = true
		n, err = w.node(ctx, w.origin, at)
	}
	signs := false
	if err == nil && at.signs {
		signs, err = w.addCandidate(ctx, s.Policy, v, n)
	}
	if err != nil {
		return nil, err
	}
	wanted := signs || s.EveryType || slices.ContainsFunc(n.Blobs, func(b *Blob) bool { return s.Wants(n.typeOf(b)) })
	if !wanted && !s.Wants(n.kind) {
		return nil, nil
	}
	found, err := w.within(s.ForReferrers()).visit(ctx, v, at)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// isSignature reports whether cosign keeps signatures under a tag.
func isSignature(ref config.Reference) bool {
	return strings.HasSuffix(ref.Tag, string(cosign.Signature))
}

// attachee describes a manifest to the origin that is asked for what cosign attached to it:
// everything, or signatures alone.
func (w *walk) attachee(subject digest.Digest) origin.Attachee {
	s := w.scope
	a := origin.Attachee{Digest: subject, Ask: s.AsksTags, Kinds: cosign.Kinds}
	if s.Policy != nil {
		a.Repository, a.Ask = s.Repository, true
	}
	if !s.Referrers {
		a.Kinds = []cosign.Kind{cosign.Signature}
	}
	return a
}
