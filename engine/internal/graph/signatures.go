package graph

import (
	"context"

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
	scope := scope.OfAll(false, platforms).Under(t, root.Ref)
	if !scope.HasPolicy() {
		return nil, nil
	}
	g := New(Options{Cache: unkept{}, Signature: read})
	defer g.Renewed()
	v, err := g.Walk(ctx, o, scope, root.Entry.Descriptor(), nil)
	if err != nil {
		return nil, err
	}
	return g.SignedBy(ctx, scope, v)
}

// unkept is the cache of a graph whose manifests are not stored.
type unkept struct{ NoCache }

func (unkept) Keep(ocispec.Descriptor, []byte) (bool, error) { return true, nil }

// checkOwner returns the signers of the artifact to which cosign attached another one.
func (g *Graph) checkOwner(ctx context.Context, s *scope.Scope, o origin.Origin) ([]string, error) {
	all, err := o.Owners(ctx, s.Owner.Repository, s.Subject)
	if err != nil {
		return nil, err
	}
	var refusal error = &engine.UnsignedError{}
	for _, found := range all {
		scope := s.Owner.Within(found.Platforms)
		v, err := g.Walk(ctx, o, scope, found.Desc, nil)
		var signedBy []string
		if err == nil {
			signedBy, err = g.SignedBy(ctx, scope, v)
		}
		if err == nil {
			return signedBy, nil
		}
		refusal = err
	}
	return nil, refusal
}
