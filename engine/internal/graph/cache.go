package graph

import (
	"errors"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Cache gives access to the content that the output of a run already holds. Calls are
// concurrent.
type Cache interface {
	// Named returns the root that the output has under the name of an entry.
	Named(name string) (ocispec.Descriptor, bool)
	// Manifest returns a manifest that the output has, nil if it has not; blob says
	// that it has the bytes and that they are no manifest.
	Manifest(n oci.Node) (data []byte, blob bool)
	// Keep takes a manifest that was fetched. It returns false where the bytes have to
	// wait in memory for their turn.
	Keep(desc ocispec.Descriptor, data []byte) (bool, error)
}

// Recorder is a Cache of an output where reading a manifest costs a request. Its index.json
// lists only what is stored with all of its graph.
type Recorder interface {
	Cache
	// Recorded returns the entry of a manifest that is there.
	Recorded(desc ocispec.Descriptor) (oci.Entry, bool)
	// Relies tells that a manifest is there although no entry of its own says it, and that its
	// blobs are trusted to be there, too. It returns false if the manifest is absent.
	Relies(desc ocispec.Descriptor) bool
}

// BlobCache is a Cache that reads blobs without a request to a registry.
type BlobCache interface {
	// Blob returns a small blob that the output has, nil if it has not.
	Blob(desc ocispec.Descriptor) []byte
}

// NoCache is an empty Cache that keeps nothing.
type NoCache struct{}

func (NoCache) Named(string) (ocispec.Descriptor, bool) { return ocispec.Descriptor{}, false }

func (NoCache) Manifest(oci.Node) ([]byte, bool) { return nil, false }

func (NoCache) Keep(ocispec.Descriptor, []byte) (bool, error) { return false, nil }

// Unkept is an empty Cache for a graph whose manifests are not stored, or are read from their
// origin again when they are.
type Unkept struct{ NoCache }

// Keep takes nothing, and frees the graph from keeping the bytes.
func (Unkept) Keep(ocispec.Descriptor, []byte) (bool, error) { return true, nil }

// LayoutCache is a layout that a run reads and does not write.
type LayoutCache struct{ store.Layout }

func (c LayoutCache) Named(name string) (ocispec.Descriptor, bool) {
	e, ok := c.Index().Lookup(name)
	return e.Descriptor(), ok
}

// Manifest leaves out a damaged manifest, so that it is fetched again.
func (c LayoutCache) Manifest(n oci.Node) ([]byte, bool) {
	if size, err := c.Stat(n.Digest); err != nil || size != n.Size {
		return nil, false
	}
	if n.Role != oci.Child {
		data, _ := store.ReadManifest(c.Layout, n.Descriptor)
		return data, false
	}
	data, err := store.ReadChild(c.Layout, n.Descriptor)
	return data, err == nil && data == nil
}

func (LayoutCache) Keep(ocispec.Descriptor, []byte) (bool, error) { return false, nil }

// Blob reads a blob that the layout has whole.
func (c LayoutCache) Blob(desc ocispec.Descriptor) []byte {
	if size, err := c.Stat(desc.Digest); err != nil || size != desc.Size {
		return nil
	}
	body, err := c.Open(desc.Digest)
	if err != nil {
		return nil
	}
	data := make([]byte, desc.Size)
	_, err = io.ReadFull(body, data)
	if err = errors.Join(err, body.Close()); err != nil || content.Verify(desc, data) != nil {
		return nil
	}
	return data
}
