package base

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Target is a registry that earlier backups were restored to.
type Target struct {
	config.Target
	Mapper *config.Mapper // nil: the registry goes, the path stays
}

// AddTarget adds the artifacts that a target has under the names of a plan.
func (b *Bases) AddTarget(ctx context.Context, c *registry.Client, selections []config.Selection, t Target, o engine.BackupOptions) error {
	if t.Mapper == nil {
		mapper, err := config.NewMapper(nil)
		if err != nil {
			return err
		}
		t.Mapper = mapper
	}
	repositories, err := b.expand(ctx, c, selections, t, o)
	if err != nil {
		return err
	}
	w := b.newWalk(func(desc ocispec.Descriptor) bool { return !oci.IsElsewhere(desc) })
	index := new(oci.Index)
	for _, r := range repositories {
		found, err := r.walk(ctx, w, b.concurrency())
		if err != nil {
			return err
		}
		index.Entries = append(index.Entries, found...)
	}
	b.add("the content of "+t.String(), index.RootsDigest(nil))
	if len(repositories) > 0 || o.Shard == nil { // else the shard is empty
		b.tellEmpty(t.String(), len(index.Entries))
	}
	b.tellLost(t.String(), w)
	w.release()
	return nil
}

// repository is a repository of a target with the artifacts of a plan that go there.
type repository struct {
	*origin.Remote
	artifacts []wanted
	referrers bool // of some artifact come along
}

// wanted is an artifact of a plan.
type wanted struct {
	source config.Reference
	there  config.Reference
}

// expand maps the names of a plan to the repositories of a target, in the order of the plan.
func (b *Bases) expand(ctx context.Context, c *registry.Client, selections []config.Selection, t Target, o engine.BackupOptions) (all []*repository, err error) {
	o = o.WithDefaults()
	o.Progress = engine.Silent{}
	planner := plan.New(c, selections, o, graph.Options{})
	defer func() { err = errors.Join(err, planner.Close()) }()
	if err := planner.ExpandNames(ctx); err != nil {
		return nil, err
	}
	byPath := make(map[string]*repository)
	for _, a := range planner.All {
		path, tag, ok, err := t.Mapper.Map(a.Ref)
		if a.Err != nil || err != nil || !ok {
			continue
		}
		path = t.Join(path)
		r := byPath[path]
		if r == nil {
			repo, err := c.Repository(t.Registry, path)
			if err != nil {
				return nil, err
			}
			r = &repository{Remote: origin.NewRemote(registry.Only(repo), config.Reference{Registry: t.Registry, Repository: path})}
			byPath[path], all = r, append(all, r)
		}
		there := config.Reference{Registry: t.Registry, Repository: path, Tag: tag}
		if tag == "" {
			there.Digest = a.Ref.Digest
		}
		r.artifacts, r.referrers = append(r.artifacts, wanted{a.Ref, there}), r.referrers || a.Scope.Referrers
	}
	return all, nil
}

// walk walks the artifacts that the repository has, and returns them as entries under the names
// of their sources.
func (r *repository) walk(ctx context.Context, w *walk, few int) ([]oci.Entry, error) {
	found := make([]oci.Entry, len(r.artifacts))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(few)
	for i, a := range r.artifacts {
		group.Go(func() error {
			desc, err := r.Resolve(inner, a.there)
			if isAbsent(err) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("the base %s: %w", a.there, err)
			}
			found[i] = oci.Entry{Name: a.source.EntryName(), Digest: desc.Digest}
			n := oci.Node{Descriptor: desc, Role: oci.Root}
			return w.visit(inner, r, n, w.blobs.number(a.source.Name()))
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var there []oci.Entry
	for _, e := range found {
		if e.Name != "" {
			there = append(there, e)
		}
	}
	if !r.referrers || len(there) == 0 {
		return there, nil
	}
	return there, r.walkReferrers(ctx, w, there)
}

// walkReferrers walks what refers to the artifacts that are there: by its manifest, or by a tag
// of cosign, and what refers to that. What cannot be listed comes along.
func (r *repository) walkReferrers(ctx context.Context, w *walk, there []oci.Entry) error {
	home := w.blobs.number(r.artifacts[0].source.Name())
	seen := make(map[digest.Digest]bool)
	tags, _ := r.AllTags(ctx) // without tags, what cosign attached comes along
	subjects := make([]digest.Digest, 0, len(there))
	for _, e := range there {
		subjects = append(subjects, e.Digest)
	}
	for len(subjects) > 0 {
		var found []digest.Digest
		for _, desc := range r.referring(ctx, tags, subjects, seen) {
			if err := w.visit(ctx, r, oci.Node{Descriptor: desc, Role: oci.Child}, home); err != nil {
				return err
			}
			found = append(found, desc.Digest)
		}
		subjects = found
	}
	return context.Cause(ctx)
}

// referring lists what refers to some manifests that were not seen yet.
func (r *repository) referring(ctx context.Context, tags []string, subjects []digest.Digest, seen map[digest.Digest]bool) []ocispec.Descriptor {
	var found []ocispec.Descriptor
	fresh := make(map[digest.Digest]bool)
	for _, subject := range subjects {
		if seen[subject] {
			continue
		}
		seen[subject], fresh[subject] = true, true
		some, err := r.Referrers(ctx, ocispec.Descriptor{Digest: subject})
		if err == nil {
			found = append(found, some...)
		}
	}
	for _, tag := range tags {
		if subject, is := cosign.Subject(tag); is && fresh[subject] {
			ref := r.artifacts[0].there
			ref.Tag, ref.Digest = tag, ""
			if desc, err := r.Resolve(ctx, ref); err == nil {
				found = append(found, desc)
			}
		}
	}
	return found
}
