package restore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// backwards is a source that passes its blobs in the opposite order, each once, and lacks
// one of them.
type backwards struct {
	source.Source
	lacks digest.Digest
}

func (s *backwards) Blobs(ctx context.Context, wanted []content.Descriptor, to source.Sink) error {
	for _, b := range slices.Backward(wanted) {
		if b.Digest == s.lacks {
			continue
		}
		if err := to.Pass(ctx, b, s.Content(b), func() bool { return true }); err != nil {
			return err
		}
	}
	if err := to.Start(); err != nil {
		return err
	}
	for _, b := range wanted {
		if b.Digest == s.lacks {
			return to.Lack(b, &engine.MissingBlobError{Blob: string(b.Digest)})
		}
	}
	return nil
}

// TestAnySourceIsRestored: a restore depends on the order of no source, and a blob that
// one lacks keeps the tag of its artifact away and no other.
func TestAnySourceIsRestored(t *testing.T) {
	layout, layers := twoImages(t)
	for _, tt := range []struct {
		lacks digest.Digest
		tags  []string
	}{
		{"", []string{"v1", "v2"}},
		{layers[0], []string{"v2"}},
	} {
		target := testregistry.New(t, testregistry.Options{})
		o, err := engine.RestoreOptions{Targets: []config.Target{{Registry: target.Host}}}.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		client := registry.New(registry.Options{})
		r := newRun(client, o)
		from, err := source.Open(t.Context(), layout, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.run(t.Context(), &backwards{from, tt.lacks}); err != nil {
			t.Fatal(err)
		}
		repo, err := client.Repository(target.Host, "app")
		if err != nil {
			t.Fatal(err)
		}
		tags, _, err := repo.FirstTags(t.Context())
		if err != nil || !slices.Equal(tags, tt.tags) {
			t.Errorf("without %q the target has the tags %q, %v", tt.lacks, tags, err)
		}
		var corrupt *engine.CorruptError
		if failed := r.report(0).Failures(); len(failed) != 2-len(tt.tags) || len(failed) > 0 && !errors.As(failed[0].Err, &corrupt) {
			t.Errorf("without %q: %v", tt.lacks, failed)
		}
	}
}

// twoImages makes a layout of app:v1 and app:v2, and returns the layer of each.
func twoImages(t *testing.T) (layout store.Layout, layers []digest.Digest) {
	t.Helper()
	path := t.TempDir()
	put := func(mediaType string, data []byte) ocispec.Descriptor {
		desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
		write(t, filepath.Join(path, "blobs", "sha256", desc.Digest.Encoded()), data)
		return desc
	}
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	settings := put(ocispec.MediaTypeImageConfig, []byte("{}"))
	for _, tag := range []string{"v1", "v2"} {
		layer := put(ocispec.MediaTypeImageLayer, []byte(tag))
		layers = append(layers, layer.Digest)
		data, err := json.Marshal(ocispec.Manifest{Versioned: index.Versioned, MediaType: ocispec.MediaTypeImageManifest, Config: settings, Layers: []ocispec.Descriptor{layer}})
		if err != nil {
			t.Fatal(err)
		}
		manifest := put(ocispec.MediaTypeImageManifest, data)
		manifest.Annotations = map[string]string{ocispec.AnnotationRefName: fmt.Sprintf("registry.example/app:%s", tag)}
		index.Manifests = append(index.Manifests, manifest)
	}
	data, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(path, "index.json"), data)
	write(t, filepath.Join(path, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`))
	layout, err = store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { layout.Close() })
	return layout, layers
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
