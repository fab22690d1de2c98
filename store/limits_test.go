package store

import (
	"errors"
	"slices"
	"testing"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// indexOf adds an index of these children.
func (s *sample) indexOf(t testing.TB, children ...ocispec.Descriptor) ocispec.Descriptor {
	t.Helper()
	return s.manifest(t, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: children})
}

// nested adds n indexes, each a child of the next.
func (s *sample) nested(t testing.TB, at ocispec.Descriptor, levels int) ocispec.Descriptor {
	for range levels {
		at = s.indexOf(t, at)
	}
	return at
}

// beyond verifies a sample with one entry, "a.com/bad:v1", that exceeds a limit.
func beyond(t *testing.T, s *sample, want error) {
	t.Helper()
	r := verdict(t, s)
	for _, f := range r.Faults {
		if f.Reference != "a.com/bad:v1" || !errors.Is(f.Err, want) {
			t.Errorf("%s: %v", f.Reference, f.Err)
		}
	}
	if len(r.Faults) != 1 {
		t.Errorf("%d faults, want 1", len(r.Faults))
	}
	_, err := prune(t, s.directory(t), keeping("a.com/bad:v1"))
	var refused *PruneError
	if !errors.As(err, &refused) || !errors.Is(err, want) {
		t.Errorf("prune: %v", err)
	}
}

func TestVerifyAndPruneOfIndexesThatNestTooDeep(t *testing.T) {
	s := newSample(t)
	image := s.image(t, "", nil, []byte("bottom"))
	s.put(s.nested(t, image, bounds.Depth), "a.com/good:v1")
	s.put(s.nested(t, s.nested(t, image, bounds.Depth), 100), "a.com/bad:v1")
	beyond(t, s, bounds.TooDeep)
}

// The depth of an index does not depend on an entry with half of it.
func TestDepthOfSharedIndexes(t *testing.T) {
	s := newSample(t)
	half := s.nested(t, s.image(t, "", nil, []byte("bottom")), bounds.Depth/2)
	s.put(half, "a.com/a:v1")
	s.put(s.nested(t, half, bounds.Depth), "a.com/bad:v1")
	beyond(t, s, bounds.TooDeep)
}

func TestVerifyAndPruneOfAnIndexThatIsTooBroad(t *testing.T) {
	s := newSample(t)
	image := s.image(t, "", nil, []byte("one of many"))
	s.put(s.indexOf(t, slices.Repeat([]ocispec.Descriptor{image}, bounds.Manifests)...), "a.com/good:v1")
	s.put(s.indexOf(t, slices.Repeat([]ocispec.Descriptor{image}, bounds.Manifests+1)...), "a.com/bad:v1")
	beyond(t, s, bounds.TooBroad)
}

// Nor may the indexes in one index have more than that together.
func TestVerifyAndPruneOfIndexesThatAreTooBroadTogether(t *testing.T) {
	s := newSample(t)
	image := s.image(t, "", nil, []byte("one of many"))
	other := s.image(t, "", nil, []byte("another"))
	half := slices.Repeat([]ocispec.Descriptor{image}, bounds.Manifests/2)
	s.put(s.indexOf(t, s.indexOf(t, half...), s.indexOf(t, append(half, other)...)), "a.com/bad:v1")
	beyond(t, s, bounds.TooBroad)
}
