package graph

import (
	"context"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
)

// CheckRoot returns the signers of a root of a layout that the policies in t accept; nil if it
// needs none. It uses no network: o is the layout, and read reads the blobs of signatures.
func CheckRoot(ctx context.Context, o origin.Origin, root origin.Root, t engine.Trust, read engine.ReadBlob) ([]string, error) {
	platforms, err := scope.ParsePlatforms(root.Entry.Platforms)
	if err != nil {
		return nil, err
	}
	s := scope.OfAll(false, platforms).Under(t, root.Ref)
	if !s.HasPolicy() {
		return nil, nil
	}
	g := New(Options{Cache: Unkept{}, Signature: read})
	defer g.Renewed()
	v, err := g.Walk(ctx, o, s, root.Entry.Descriptor(), nil)
	if err != nil {
		return nil, err
	}
	return g.SignedBy(ctx, s, v)
}

// SignedBy returns the signers of an artifact, sorted, as the policy of its scope demands them.
// Its error says why the artifact is not signed by any of them.
func (g *Graph) SignedBy(ctx context.Context, s *scope.Scope, root *Visit) ([]string, error) {
	if s.Owner != nil {
		return g.checkOwner(ctx, s, root.Origin)
	}
	signedBy, err := g.judge(ctx, s, root)
	if s.Policy.Signed() != engine.SignedImages {
		return signedBy, err
	}
	signedBy = slices.Clone(signedBy)
	for _, image := range root.images() { // all of them: a pipe learns which signatures are needed
		more, refusal := g.judge(ctx, s, image)
		if refusal != nil && err == nil {
			err = fmt.Errorf("the image %s: %w", image.Node.Digest, refusal)
		}
		signedBy = append(signedBy, more...)
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(signedBy)
	return slices.Compact(signedBy), nil
}

// judge has the policy decide about one manifest.
func (g *Graph) judge(ctx context.Context, s *scope.Scope, v *Visit) ([]string, error) {
	t := v.trial
	t.once.Do(func() {
		g.mu.Lock()
		candidates := t.judged()
		g.mu.Unlock()
		subject := engine.Subject{Descriptor: v.Node.OCI(), Repository: s.Repository}
		t.signedBy, t.err = s.Policy.Verify(ctx, subject, candidates, func(ctx context.Context, blob ocispec.Descriptor) ([]byte, error) {
			return g.readSignature(ctx, v.Origin, blob)
		})
		if t.err != nil && v.Missing != nil {
			t.err = &engine.UnseenError{Refusal: t.err, Missing: v.Missing}
		}
	})
	return t.signedBy, t.err
}

// checkOwner returns the signers of the artifact to which cosign attached another one.
func (g *Graph) checkOwner(ctx context.Context, s *scope.Scope, o origin.Origin) ([]string, error) {
	all, err := o.Owners(ctx, s.Owner.Repository, s.Subject)
	if err != nil {
		return nil, err
	}
	var refusal error = &engine.UnsignedError{}
	for _, found := range all {
		within := s.Owner.Within(found.Platforms)
		v, err := g.Walk(ctx, o, within, found.Desc, nil)
		var signedBy []string
		if err == nil {
			signedBy, err = g.SignedBy(ctx, within, v)
		}
		if err == nil {
			return signedBy, nil
		}
		refusal = err
	}
	return nil, refusal
}
