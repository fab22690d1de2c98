package plan

import (
	"context"
	"errors"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// Resolved is a reference with its digest.
type Resolved struct {
	Reference config.Reference
	Digest    digest.Digest
	Written   digest.Digest // of ResolveWritten: the digest in a target with platformMode: rewrite
	Other     digest.Digest // of ResolveBoth: the digest in the other algorithm, sha256 or sha512
	Err       error         // why it, or the list of its repository, failed
}

// Listed names the artifacts of a layout as a backup of it would: an entry with a bare tag, or
// without a name, belongs to repository. An artifact that cannot be backed up has an Err.
func Listed(l store.Layout, path string, repository config.Reference) []Resolved {
	var all []Resolved
	for _, r := range origin.NewLocal(l, path).RootsOf(l.Index().Entries, repository) {
		all = append(all, Resolved{Reference: r.Ref, Digest: r.Entry.Digest, Err: r.Misplaced(path)})
	}
	return all
}

// Resolve lists the selected artifacts with their digests, in the order of the plan, without
// their graphs: a tag costs one HEAD. The error is for the call as a whole.
func Resolve(ctx context.Context, c *registry.Client, selections []config.Selection, o engine.BackupOptions) ([]Resolved, error) {
	artifacts, err := resolve(ctx, c, selections, o, func(context.Context, *Artifact, ocispec.Descriptor) error { return nil })
	return resolved(artifacts, nil), err
}

// ResolveBoth also returns the digests in the other algorithm, for which it fetches each
// manifest.
func ResolveBoth(ctx context.Context, c *registry.Client, selections []config.Selection, o engine.BackupOptions) ([]Resolved, error) {
	var mu sync.Mutex // guards others
	others := make(map[*Artifact]digest.Digest)
	artifacts, err := resolve(ctx, c, selections, o, func(ctx context.Context, a *Artifact, desc ocispec.Descriptor) error {
		data, err := a.origin.Manifest(ctx, desc)
		mu.Lock()
		defer mu.Unlock()
		others[a] = InOther(desc.Digest, data)
		return err
	})
	all := resolved(artifacts, nil)
	for i, a := range artifacts {
		all[i].Other = others[a]
	}
	return all, err
}

// InOther returns the digest of data in the other algorithm than that of d: two registries may
// name the same manifest by different ones.
func InOther(d digest.Digest, data []byte) digest.Digest {
	if d.Algorithm() == digest.SHA256 {
		return digest.SHA512.FromBytes(data)
	}
	return digest.SHA256.FromBytes(data)
}

// ResolveWritten also returns the digests in a target with platformMode: rewrite. It fetches
// the indexes that are cut down to some platforms.
func ResolveWritten(ctx context.Context, c *registry.Client, selections []config.Selection, o engine.BackupOptions) ([]Resolved, error) {
	g := graph.New(graph.Options{})
	var mu sync.Mutex // guards written
	written := make(map[*Artifact]digest.Digest)
	artifacts, err := resolve(ctx, c, selections, o, func(ctx context.Context, a *Artifact, desc ocispec.Descriptor) error {
		d, err := g.Rewritten(ctx, a.origin, a.Scope.Platforms, desc)
		mu.Lock()
		defer mu.Unlock()
		written[a] = d
		return err
	})
	return resolved(artifacts, written), err
}

func resolved(artifacts []*Artifact, written map[*Artifact]digest.Digest) []Resolved {
	all := make([]Resolved, len(artifacts))
	for i, a := range artifacts {
		all[i] = Resolved{Reference: a.Ref, Digest: a.Root.Digest, Written: written[a], Err: a.Err}
	}
	return all
}

func resolve(ctx context.Context, c *registry.Client, selections []config.Selection, o engine.BackupOptions,
	met func(context.Context, *Artifact, ocispec.Descriptor) error) ([]*Artifact, error) {
	o = o.WithDefaults()
	p := New(c, selections, o, graph.Options{})
	if err := errors.Join(p.Resolve(ctx, met), p.Close()); err != nil {
		return nil, err
	}
	return p.All, nil
}

// Resolve resolves the names of all artifacts, and walks none: a tag costs one HEAD. It calls
// met for each root that exists, concurrently.
func (p *Planner) Resolve(ctx context.Context, met func(context.Context, *Artifact, ocispec.Descriptor) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.workers)
	err := p.expand(ctx, func(a *Artifact) error {
		group.Go(func() error {
			if a.Err == nil {
				var desc ocispec.Descriptor
				if desc, a.Err = a.origin.Resolve(ctx, a.Ref); a.Err == nil {
					a.Err = met(ctx, a, desc)
				}
				a.Root = content.Of(desc)
			}
			p.progress.Resolved()
			return context.Cause(ctx)
		})
		return nil
	})
	return errors.Join(err, group.Wait())
}
