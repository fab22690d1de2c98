package registry

import (
	"context"
	"encoding/json"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// MergeReferrers adds descriptors (with their artifact types and annotations) to
// the list that stands under the subject's fallback tag, for a registry without
// the referrers API. It is one GET, and one PUT if anything is new. Two
// processes that do this at once can lose each other's entries: the protocol has
// no way to prevent it.
func (r *Repository) MergeReferrers(ctx context.Context, subject ocispec.Descriptor, add []ocispec.Descriptor) error {
	if err := subject.Digest.Validate(); err != nil {
		return r.fail("push", r.Name(), err)
	}
	r.ExpectPush()
	r.merging.Lock()
	defer r.merging.Unlock()
	return r.fail("push", r.named(FallbackTag(subject.Digest)), r.mergeReferrers(ctx, subject, add))
}

func (r *Repository) mergeReferrers(ctx context.Context, subject ocispec.Descriptor, add []ocispec.Descriptor) error {
	index, err := r.fallbackIndex(ctx, subject.Digest, false)
	if err != nil {
		return err
	}
	merged := distinct(append(append([]ocispec.Descriptor{}, index.Manifests...), add...))
	if len(merged) == len(index.Manifests) {
		return nil
	}
	index.Versioned = specs.Versioned{SchemaVersion: 2}
	index.MediaType = ocispec.MediaTypeImageIndex
	index.Manifests = merged
	data, err := json.Marshal(index)
	if err != nil {
		return err
	}
	desc := ocispec.Descriptor{MediaType: index.MediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	return r.pushManifest(ctx, desc, data, FallbackTag(subject.Digest))
}
