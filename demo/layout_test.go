// Package demo tests and writes testdata/layout, the small layout that `make demo` starts with.
package demo

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var update = flag.Bool("update", false, "write testdata/layout")

const (
	containerdName = "io.containerd.image.name"
	repositories   = "io.github.oras-mirror.repositories"
	referrers      = "io.github.oras-mirror.referrers"
)

// layout maps the paths of an OCI layout to the content of its files.
type layout map[string][]byte

func (l layout) blob(mediaType string, data []byte) ocispec.Descriptor {
	d := digest.FromBytes(data)
	l["blobs/sha256/"+d.Encoded()] = data
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
}

func (l layout) json(mediaType string, document any) ocispec.Descriptor {
	return l.blob(mediaType, encode(document))
}

// image adds an image of one layer with one file.
func (l layout) image(architecture string) ocispec.Descriptor {
	layer := l.blob(ocispec.MediaTypeImageLayer, archive("hello.txt", "hello from "+architecture+"\n"))
	platform := ocispec.Platform{OS: "linux", Architecture: architecture}
	config := l.json(ocispec.MediaTypeImageConfig, ocispec.Image{
		Platform: platform,
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer.Digest}},
	})
	desc := l.json(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    config,
		Layers:    []ocispec.Descriptor{layer},
	})
	desc.Platform = &platform
	return desc
}

func (l layout) index(children ...ocispec.Descriptor) ocispec.Descriptor {
	return l.json(ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: children,
	})
}

// artifact adds an artifact of one file; subject may be nil.
func (l layout) artifact(artifactType, title, content string, subject *ocispec.Descriptor) ocispec.Descriptor {
	empty := l.blob(ocispec.MediaTypeEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
	file := l.blob("text/plain", []byte(content))
	file.Annotations = map[string]string{ocispec.AnnotationTitle: title}
	desc := l.json(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: artifactType,
		Config:       empty,
		Layers:       []ocispec.Descriptor{file},
		Subject:      subject,
	})
	desc.ArtifactType = artifactType
	return desc
}

// named returns an entry of index.json with its full reference.
func named(desc ocispec.Descriptor, name string) ocispec.Descriptor {
	desc.Annotations = map[string]string{
		ocispec.AnnotationRefName: name,
		containerdName:            name,
		referrers:                 "all",
	}
	return desc
}

// archive returns a tar of one file, without times and user names.
func archive(name, content string) []byte {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	header := &tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644, Format: tar.FormatUSTAR}
	if err := w.WriteHeader(header); err != nil {
		panic(err)
	}
	fmt.Fprint(w, content)
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}

func encode(document any) []byte {
	data, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return data
}

// sample returns three artifacts from two registries: an image for two platforms with a
// signature, a chart, and a text.
func sample() layout {
	l := layout{ocispec.ImageLayoutFile: encode(ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion})}
	app := l.index(l.image("amd64"), l.image("arm64"))
	signature := l.artifact("application/vnd.example.signature", "signature.txt", "signed by the demo\n", &app)
	signature.Annotations = map[string]string{repositories: "registry.example/team/app"}
	index := ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: []ocispec.Descriptor{
			named(l.artifact("application/vnd.example.notes", "notes.md", "# Notes\n", nil), "docs.example/team/notes:latest"),
			named(l.artifact("application/vnd.example.chart", "chart.yaml", "name: app\n", nil), "registry.example/charts/app:0.1.0"),
			named(app, "registry.example/team/app:1.0"),
			signature,
		},
	}
	l[ocispec.ImageIndexFile] = encode(index)
	return l
}

func TestLayoutInTestdata(t *testing.T) {
	root := filepath.Join("..", "testdata", "layout")
	want := sample()
	if *update {
		write(t, root, want)
	}
	got := read(t, root)
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Errorf("files are %v", slices.Sorted(maps.Keys(got)))
	}
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			t.Errorf("%s: sha256 %x, want %x; go test ./demo -update writes it", name, sha256.Sum256(got[name]), sha256.Sum256(data))
		}
	}
}

func write(t *testing.T, root string, l layout) {
	t.Helper()
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	for name, data := range l {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, root string) layout {
	t.Helper()
	l := layout{}
	files := os.DirFS(root)
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		l[name], err = fs.ReadFile(files, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}
