package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// bush is an origin in which each index has more indexes, without an end.
type bush struct {
	origin.Origin
	breadth int
	asked   atomic.Int64
}

func (b *bush) Repository() string { return "registry.example/bush" }

func (b *bush) Child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	return b.Manifest(ctx, desc)
}

func (b *bush) Manifest(_ context.Context, desc ocispec.Descriptor) ([]byte, error) {
	b.asked.Add(1)
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	for i := range b.breadth {
		child := desc
		child.Digest = digest.FromString(fmt.Sprint(desc.Digest, i))
		index.Manifests = append(index.Manifests, child)
	}
	return json.Marshal(index)
}

// TestIndexesWithoutAnEnd: neither depth nor breadth alone bounds what a registry
// can make us ask for.
func TestIndexesWithoutAnEnd(t *testing.T) {
	for _, breadth := range []int{3, 100} {
		b := &bush{breadth: breadth}
		root := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: digest.FromString("root"), Size: 1}
		_, err := New(Options{}).Walk(t.Context(), b, scope.Of(config.Selection{}), root, nil)
		var beyond *bounds.Error
		if !errors.As(err, &beyond) {
			t.Errorf("breadth %d: ended with %v", breadth, err)
		}
		if n := b.asked.Load(); n > bounds.Manifests+1 {
			t.Errorf("breadth %d: %d manifests were asked for", breadth, n)
		}
	}
}
