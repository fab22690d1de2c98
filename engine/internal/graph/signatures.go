package graph

import (
	"context"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
)

// CheckRoot returns the signers of a root of a layout that the policies in t accept; nil if it
// needs none. It uses no network: o is the layout, and read reads the blobs of signatures.
func CheckRoot(ctx context.Context, o Origin, root Root, t engine.Trust, read engine.ReadBlob) ([]string, error) {
	platforms, err := ParsePlatforms(root.Entry.Platforms)
	if err != nil {
		return nil, err
	}
	scope := ScopeOfAll(false, platforms).Under(t, root.Ref)
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

// Index notes the roots of an input, so that signatures and the artifacts that they belong to
// are found by their names.
func (l *Local) Index(roots []Root) {
	l.all = roots
	l.Artifacts()
}

// ownership finds the artifacts of a layout that have a manifest.
type ownership struct {
	once   sync.Once // guards owners: it is written there
	owners map[memberKey][]owner
}

// owner is an artifact that has a manifest.
type owner struct {
	desc      ocispec.Descriptor
	platforms []config.Platform // those that a layout has of it; nil: all that are selected
}

// memberKey identifies a manifest in a repository.
type memberKey struct {
	repository string
	digest     digest.Digest
}

// owners lists the artifacts of a repository that are a manifest, or have it below them.
func (l *Local) owners(_ context.Context, repository string, subject digest.Digest) ([]owner, error) {
	return l.ownersOf(memberKey{repository, subject}), nil
}

func (l *Local) ownersOf(key memberKey) []owner {
	l.ownership.once.Do(func() {
		l.ownership.owners = make(map[memberKey][]owner)
		for _, r := range l.all {
			if _, attached := r.Entry.AttachedTo(); attached || r.Fault != nil {
				continue
			}
			l.addOwner(r)
		}
	})
	return l.ownership.owners[key]
}

// HasOwner reports whether cosign attached a root to an artifact of the layout, which has a
// verdict of its own.
func (l *Local) HasOwner(r Root) bool {
	subject, attached := r.Entry.AttachedTo()
	return attached && len(l.ownersOf(memberKey{r.Repository(), subject})) > 0
}

// Repository returns the repository of a root as policies name it; "" if it has none.
func (r Root) Repository() string { return repositoryOf(r.Ref) }

// repositoryOf returns REGISTRY/REPOSITORY; "" without a registry.
func repositoryOf(ref config.Reference) string {
	if ref.Registry == "" {
		return ""
	}
	return ref.Name()
}

func (l *Local) addOwner(r Root) {
	platforms, err := ParsePlatforms(r.Entry.Platforms)
	if err != nil {
		return // its own check fails
	}
	family := map[digest.Digest]bool{r.Entry.Digest: true}
	l.WalkChildren(r.Entry.Descriptor(), family)
	found := owner{r.Entry.Descriptor(), platforms}
	for member := range family {
		key := memberKey{r.Repository(), member}
		if !slices.ContainsFunc(l.ownership.owners[key], func(o owner) bool {
			return o.desc.Digest == found.desc.Digest && slices.Equal(o.platforms, platforms)
		}) {
			l.ownership.owners[key] = append(l.ownership.owners[key], found)
		}
	}
}

// owners asks for the manifest itself.
func (r *Remote) owners(ctx context.Context, _ string, subject digest.Digest) ([]owner, error) {
	desc, err := r.Resolve(ctx, config.Reference{Registry: r.ref.Registry, Repository: r.ref.Repository, Digest: subject})
	return []owner{{desc: desc}}, err
}

// checkOwner returns the signers of the artifact to which cosign attached another one.
func (g *Graph) checkOwner(ctx context.Context, s *Scope, o Origin) ([]string, error) {
	all, err := o.owners(ctx, s.owner.repository, s.subject)
	if err != nil {
		return nil, err
	}
	var refusal error = &engine.UnsignedError{}
	for _, found := range all {
		scope := s.owner.within(found.platforms)
		v, err := g.Walk(ctx, o, scope, found.desc, nil)
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
