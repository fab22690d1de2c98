package backup

import (
	"context"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// checkOutput refuses to mix a delta with a layout that is complete.
func (b *backup) checkOutput(out store.Destination) error {
	there, path := b.Previous, out.Path()
	if l, is := out.(store.Layout); is {
		there = l
	}
	if there == nil {
		return nil
	}
	switch x := there.Index(); {
	case x.IsDelta() && b.Base == nil:
		return &engine.DeltaOutputError{Path: path, Base: x.BaseName()}
	case !x.IsDelta() && b.Base != nil && there != b.Previous && len(x.Entries) > 0:
		return &engine.FullOutputError{Path: path}
	}
	return nil
}

// leftMemory is the part of the memory of a blob, as a plan counts it, that one which is left to the
// base does not take: for lists and a transfer.
const leftMemory = 64

// leaves reports whether the base has a blob, which then stays out of the output.
func (b *backup) leaves(blob *graph.Blob, job *blobJob) bool {
	if job.state == blobUnknown && b.isInBase(blob.Descriptor) {
		job.state = blobLeft
		bounds.Give(leftMemory)
	}
	return job.state == blobLeft
}

// isInBase reports whether the base has a blob.
func (b *backup) isInBase(blob content.Descriptor) bool {
	if b.Base == nil || b.planner.IsSignature(blob) { // a restore without a network reads them
		return false
	}
	_, has := b.Base.Homes(blob.OCI())
	return has
}

// needsBase reports whether a restore needs the base for a blob that is left to it. It knows the
// empty document, and what a descriptor has in itself.
func (b *backup) needsBase(blob *graph.Blob) bool {
	return !oci.IsEmptyJSON(blob.Digest, blob.Size) && !b.planner.IsEmbedded(blob)
}

// checkBase returns an error if the base is no longer what was left out.
func (b *backup) checkBase(ctx context.Context) error {
	if b.Base == nil {
		return nil
	}
	return b.Base.Check(ctx)
}

// elsewhere maps the blobs that no repository which needs them has in the base to one that has:
// a restore mounts them from there.
func (b *backup) elsewhere() map[digest.Digest]string {
	if b.Base == nil {
		return nil
	}
	b.eachLeft(func(job *blobJob, blob *graph.Blob, repository string) {
		if !job.isNear {
			homes, _ := b.Base.Homes(blob.OCI())
			job.isNear = len(homes) == 0 || slices.Contains(homes, repository)
		}
	})
	found := make(map[digest.Digest]string)
	b.eachLeft(func(job *blobJob, blob *graph.Blob, _ string) {
		if !job.isNear {
			homes, _ := b.Base.Homes(blob.OCI())
			job.isNear, found[blob.Digest] = true, homes[0]
		}
	})
	return found
}

// eachLeft calls do for the blobs that are left to the base, with each repository that needs
// them.
func (b *backup) eachLeft(do func(job *blobJob, blob *graph.Blob, repository string)) {
	for _, a := range b.planner.All {
		if a.Visit == nil || a.Visit.Err != nil {
			continue
		}
		repository := a.Ref.Name()
		a.Visit.All(func(v *graph.Visit) {
			for _, blob := range v.Blobs() {
				if job := b.blobJob(blob); job.state == blobLeft {
					do(job, blob, repository)
				}
			}
		})
	}
}

// putLists stores the lists of a delta, and returns their digests.
func putLists(lists [][]byte, put func(ocispec.Descriptor, []byte) error) ([]digest.Digest, error) {
	var all []digest.Digest
	for _, list := range lists {
		desc := ocispec.Descriptor{MediaType: delta.MediaType, Digest: digest.FromBytes(list), Size: int64(len(list))}
		if err := put(desc, list); err != nil {
			return nil, err
		}
		all = append(all, desc.Digest)
	}
	return all, nil
}

// united returns a, and what b has in addition.
func united[T comparable](a, b []T) []T {
	all := slices.Clone(a)
	for _, one := range b {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}
