package base

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// AddLock adds the artifacts of a lock. Their manifests are read again where they came from; an
// artifact that is gone there comes along.
func (b *Bases) AddLock(ctx context.Context, c *registry.Client, lock *lockfile.Lock, selections []config.Selection, name string, o engine.BackupOptions) (err error) {
	b.add("the backup of "+name, lockRoots(lock))
	b.tellEmpty(name, len(lock.Artifacts))
	o = o.WithDefaults()
	o.Progress, o.Shard, o.Only = engine.Silent{}, nil, nil
	planner := plan.New(c, selections, o, graph.Options{})
	defer func() { err = errors.Join(err, planner.Close()) }()
	gone := 0
	err = planner.EachInOrder(ctx, func(a *plan.Artifact) error {
		if a.Err != nil {
			gone++
			return nil
		}
		return b.addArtifact(a)
	})
	if gone > 0 {
		b.notice(fmt.Sprintf("%d of %d artifacts of the base %s cannot be read; the blobs that only these need come along", gone, len(planner.All), name))
	}
	planner.Renewed() // gives the memory of the plan back
	return err
}

// addArtifact adds the blobs of a planned artifact.
func (b *Bases) addArtifact(a *plan.Artifact) error {
	repository := b.blobs.number(a.Ref.Name())
	var failed error
	a.Visit.All(func(v *graph.Visit) {
		v.Node.Drop()
		for _, blob := range v.Blobs() {
			if err := b.blobs.add(blob.Descriptor, repository); err != nil {
				failed = err
			}
		}
	})
	a.Visit = nil
	return failed
}

// lockRoots returns the digest of the roots of a lock, the same as that of a backup of it.
func lockRoots(lock *lockfile.Lock) digest.Digest {
	x := new(oci.Index)
	for _, a := range lock.Artifacts {
		x.Entries = append(x.Entries, oci.Entry{Name: a.Reference.EntryName(), Digest: a.Digest})
	}
	return x.RootsDigest(nil)
}
