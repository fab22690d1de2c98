package engine_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// handmade builds a layout entry by entry, as some other tool would write it.
type handmade struct {
	t       *testing.T
	blobs   map[digest.Digest][]byte
	entries []ocispec.Descriptor
}

func newHandmade(t *testing.T) *handmade {
	return &handmade{t: t, blobs: make(map[digest.Digest][]byte)}
}

func (h *handmade) blob(mediaType string, data []byte) ocispec.Descriptor {
	d := digest.FromBytes(data)
	h.blobs[d] = data
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
}

func (h *handmade) json(mediaType string, value any) ocispec.Descriptor {
	h.t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.blob(mediaType, data)
}

// image adds an image with one layer; subject may be nil.
func (h *handmade) image(seed string, subject *ocispec.Descriptor) ocispec.Descriptor {
	h.t.Helper()
	return h.json(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Subject: subject,
		Config: h.blob(ocispec.MediaTypeImageConfig, []byte(`{"os":"linux","architecture":"amd64","x":"`+seed+`"}`)),
		Layers: []ocispec.Descriptor{h.blob(ocispec.MediaTypeImageLayer, []byte("layer of "+seed))},
	})
}

func (h *handmade) index(children ...ocispec.Descriptor) ocispec.Descriptor {
	h.t.Helper()
	return h.json(ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: children,
	})
}

// entry lists a manifest under a name, or under none.
func (h *handmade) entry(desc ocispec.Descriptor, name string) ocispec.Descriptor {
	if name == "" {
		return h.annotated(desc, nil)
	}
	return h.annotated(desc, map[string]string{ocispec.AnnotationRefName: name})
}

func (h *handmade) annotated(desc ocispec.Descriptor, annotations map[string]string) ocispec.Descriptor {
	listed := desc
	listed.Annotations = annotations
	h.entries = append(h.entries, listed)
	return desc
}

// files returns the layout as name and content pairs, index.json last.
func (h *handmade) files() []string {
	h.t.Helper()
	files := []string{"oci-layout", `{"imageLayoutVersion":"1.0.0"}`}
	for _, d := range slices.Sorted(maps.Keys(h.blobs)) {
		files = append(files, "blobs/"+d.Algorithm().String()+"/"+d.Encoded(), string(h.blobs[d]))
	}
	return append(files, "index.json", h.indexText())
}

func (h *handmade) indexText() string {
	h.t.Helper()
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: h.entries}
	if index.Manifests == nil {
		index.Manifests = []ocispec.Descriptor{}
	}
	data, err := json.Marshal(index)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(data)
}

// write stores the layout in a directory of its own and returns its path.
func (h *handmade) write() string {
	h.t.Helper()
	path := h.t.TempDir()
	writeFiles(h.t, path, h.files())
	return path
}

func writeFiles(t *testing.T, path string, files []string) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		file := filepath.Join(path, files[i])
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// tarOf packs name and content pairs in this order.
func tarOf(t *testing.T, files []string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// opened opens the layout as a directory, as a tar file and from a pipe, and calls
// each with each.
func (h *handmade) opened(each func(kind string, open func() store.Input)) {
	h.t.Helper()
	directory, packed := h.write(), tarOf(h.t, h.files())
	file := filepath.Join(h.t.TempDir(), "layout.tar")
	if err := os.WriteFile(file, packed, 0o644); err != nil {
		h.t.Fatal(err)
	}
	input := func(in store.Input, err error) store.Input {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
		h.t.Cleanup(func() { in.Close() })
		return in
	}
	o := store.OpenOptions{TempDir: h.t.TempDir()}
	each("directory", func() store.Input { return input(store.OpenLayout(directory, o)) })
	each("file", func() store.Input { return input(store.OpenLayout(file, o)) })
	each("pipe", func() store.Input { return input(store.OpenStream(bytes.NewReader(packed), o)) })
}

// restoreTo restores the layout in each of its forms to a repository, or to "" for
// the registry alone, of a registry of its own.
func (h *handmade) restoreTo(repository string, check func(kind string, target *testregistry.Registry, report *engine.Report, err error)) {
	h.t.Helper()
	h.opened(func(kind string, open func() store.Input) {
		target := testregistry.New(h.t, testregistry.Options{})
		to := target.Host
		if repository != "" {
			to += "/" + repository
		}
		report, err := tryRestore(h.t, open(), to, engine.RestoreOptions{})
		check(kind, target, report, err)
	})
}

// layoutSource selects all of a layout; repository names what has bare tags, and may
// be empty.
func layoutSource(t *testing.T, path, repository string) []config.Selection {
	t.Helper()
	selection := config.Selection{Layout: path, Referrers: true}
	if repository != "" {
		selection.Reference = selections(t, repository)[0].Reference
	}
	return []config.Selection{selection}
}
