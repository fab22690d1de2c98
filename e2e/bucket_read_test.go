package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// TestOneArtifactOfALargeBundle restores 1 MiB out of a bundle of 2 GiB in a bucket: less than
// 3 MiB are read, with few requests.
func TestOneArtifactOfALargeBundle(t *testing.T) {
	server := testbucket.New(t)
	layer := testregistry.Random("layer", 1<<20)
	d := newDesk(t)
	if size := writeSparse(t, filepath.Join(server.Folder, "large.tgz"), layer); size < 2<<30 {
		t.Fatalf("the bundle has %d bytes", size)
	}
	target := testregistry.New(t, testregistry.Options{})
	d.mirror("restore", "--input", server.Path("large.tgz"), "--only", "**/small:v1", target.Host).exits(0)
	if sent := server.Sent(); sent < 1<<20 || sent >= 3<<20 {
		t.Errorf("%d bytes were read", sent)
	}
	// The table at the end, the head with the manifests and index.json, the config, and the layer.
	if got, want := server.Requests(), map[string]int{"GET": 4}; !maps.Equal(got, want) {
		t.Errorf("requests: %v, want %v", got, want)
	}
	contents, err := testregistry.Snapshot(t.Context(), target.Access())
	if err != nil || len(contents) == 0 {
		t.Errorf("the target has %v, %v", contents, err)
	}
}

// writeSparse writes a bundle with a blob of 2 GiB between the blobs of two other artifacts,
// and returns its size. Of the large blob there is only room, which takes no disk.
func writeSparse(t *testing.T, path string, layer []byte) int64 {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := bundle.NewWriter(sparse{file}, bundle.Gzip)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	config, large := []byte("{}"), digest.FromString("what is not there")
	small, smallManifest := imageOf(t, config, descriptor(layer))
	huge, hugeManifest := imageOf(t, config, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: large, Size: 2 << 30})
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: []ocispec.Descriptor{named(huge, "huge:v1"), named(small, "small:v1")}}
	text, err := json.Marshal(index)
	must(err)
	must(w.Put(bundle.LayoutFile, []byte(`{"imageLayoutVersion":"1.0.0"}`)))
	must(w.Put(bundle.BlobName(huge.Digest), hugeManifest))
	must(w.Put(bundle.BlobName(small.Digest), smallManifest))
	must(w.Put(bundle.IndexFile, text))
	must(w.Begin(bundle.BlobName(large)))
	hole := make([]byte, 64<<20)
	for range 2 << 30 / len(hole) {
		_, err := w.Write(hole)
		must(err)
	}
	must(w.End())
	must(w.Put(bundle.BlobName(digest.FromBytes(config)), config))
	must(w.Put(bundle.BlobName(digest.FromBytes(layer)), layer))
	for i := range 4 { // the other blobs of a bundle, behind the layer
		data := testregistry.Random(fmt.Sprint("behind", i), 1<<20)
		must(w.Put(bundle.BlobName(digest.FromBytes(data)), data))
	}
	must(w.Close())
	return w.Offset()
}

// sparse writes to a file, and leaves holes of what is long and begins with a zero.
type sparse struct{ *os.File }

func (s sparse) Write(p []byte) (int, error) {
	if len(p) < 64<<20 || p[0] != 0 {
		return s.File.Write(p)
	}
	_, err := s.Seek(int64(len(p)), 1)
	return len(p), err
}

func descriptor(layer []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.FromBytes(layer), Size: int64(len(layer))}
}

// imageOf returns the manifest of an image with one layer.
func imageOf(t *testing.T, config []byte, layer ocispec.Descriptor) (ocispec.Descriptor, []byte) {
	t.Helper()
	data, err := json.Marshal(ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromBytes(config), Size: int64(len(config))}, Layers: []ocispec.Descriptor{layer}})
	if err != nil {
		t.Fatal(err)
	}
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(data), Size: int64(len(data))}, data
}

func named(d ocispec.Descriptor, name string) ocispec.Descriptor {
	name = "registry.example.com/team/" + name
	d.Annotations = map[string]string{"io.containerd.image.name": name, ocispec.AnnotationRefName: name}
	return d
}
