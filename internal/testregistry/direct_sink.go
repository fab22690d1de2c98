package testregistry

import (
	"context"
	"encoding/json"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// directSink adds content to a Registry without a request.
type directSink struct{ r *Registry }

func (s directSink) blob(_ context.Context, repo string, desc ocispec.Descriptor, data []byte) error {
	s.r.store.putBlob(repo, desc.Digest, data)
	return nil
}

func (s directSink) manifest(_ context.Context, repo, tag string, desc ocispec.Descriptor, data []byte) error {
	subject := s.r.store.putManifest(repo, tag, desc.Digest, manifest{desc.MediaType, data})
	if subject != nil && s.r.options.NoReferrersAPI {
		return s.fallback(repo, *subject)
	}
	return nil
}

// fallback writes the index that replaces the referrers API,
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema.
func (s directSink) fallback(repo string, subject ocispec.Descriptor) error {
	data, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: s.r.store.referrers(repo, subject.Digest),
	})
	if err != nil {
		return err
	}
	desc := describe(ocispec.MediaTypeImageIndex, data)
	s.r.store.putManifest(repo, fallbackTag(subject.Digest), desc.Digest, manifest{desc.MediaType, data})
	return nil
}
