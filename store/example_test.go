package store_test

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Open a bundle, list its entries, and read their manifests.
func Example() {
	folder, err := os.MkdirTemp("", "example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := writeBundle(folder)

	layout, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer layout.Close()
	for _, entry := range layout.Index().Entries {
		fmt.Println(entry.Name, entry.Digest.Algorithm())
		data, err := store.ReadManifest(layout, entry.Descriptor()) // verified
		if err != nil {
			log.Fatal(err)
		}
		manifest, err := oci.ParseManifest(entry.Descriptor(), data)
		if err != nil {
			log.Fatal(err)
		}
		for _, blob := range manifest.Leaves() {
			fmt.Println(blob.MediaType, blob.Size)
		}
	}
	// Output:
	// registry.example/app:v1 sha256
	// application/vnd.oci.empty.v1+json 2
	// application/vnd.oci.image.layer.v1.tar 7
}

// Add up the size of an artifact, with all manifests and blobs of its graph.
func ExampleWalker() {
	folder, err := os.MkdirTemp("", "example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	layout, err := store.OpenLayout(writeBundle(folder), store.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer layout.Close()

	var size int64
	walker := oci.Walker{Visit: func(n oci.Node) ([]oci.Node, error) {
		size += n.Size
		read := store.ReadManifest
		switch n.Role {
		case oci.Leaf:
			return nil, nil
		case oci.Child:
			read = store.ReadChild
		}
		data, err := read(layout, n.Descriptor)
		if err != nil {
			return nil, err
		}
		manifest, err := n.Parse(data)
		return n.Below(manifest), err
	}}
	entry, _ := layout.Index().Lookup("registry.example/app:v1")
	if err := walker.Walk(oci.Node{Descriptor: entry.Descriptor()}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(size-entry.Size, "bytes beside the manifest")
	// Output: 9 bytes beside the manifest
}

// writeBundle writes a bundle with one image and returns its path.
func writeBundle(folder string) string {
	layer := []byte("a layer")
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    ocispec.DescriptorEmptyJSON,
		Layers:    []ocispec.Descriptor{{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.FromBytes(layer), Size: int64(len(layer))}},
	}
	data, err := json.Marshal(manifest)
	if err != nil {
		log.Fatal(err)
	}
	desc := ocispec.Descriptor{MediaType: manifest.MediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	index := new(oci.Index)
	index.Put(oci.Entry{MediaType: desc.MediaType, Digest: desc.Digest, Size: desc.Size, Name: "registry.example/app:v1"})

	out, err := store.Create(filepath.Join(folder, "bundle.tgz"), store.CreateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer out.Close()
	archive := out.(*store.Archive) // the path names a file
	if err := archive.PutManifest(desc, data); err != nil {
		log.Fatal(err)
	}
	if err := archive.PutIndex(index); err != nil {
		log.Fatal(err)
	}
	writeBlob(archive, manifest.Config, []byte("{}"))
	writeBlob(archive, manifest.Layers[0], layer)
	path, err := archive.Commit(false)
	if err != nil {
		log.Fatal(err)
	}
	return path
}

func writeBlob(archive *store.Archive, desc ocispec.Descriptor, data []byte) {
	if err := archive.Begin(desc); err != nil {
		log.Fatal(err)
	}
	entry := archive.Encoder(desc, func(encoded []byte) error {
		_, err := archive.Write(encoded)
		return err
	})
	if _, err := entry.Write(data); err != nil {
		log.Fatal(err)
	}
	if err := entry.Close(); err != nil {
		log.Fatal(err)
	}
	if err := archive.End(); err != nil {
		log.Fatal(err)
	}
}
