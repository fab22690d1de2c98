package backup

import (
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// directoryCache is the content of the directory that a backup fills.
type directoryCache struct {
	graph.LayoutCache
	*directory
}

func (c directoryCache) Named(name string) (ocispec.Descriptor, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.LayoutCache.Named(name)
}

func (c directoryCache) Manifest(n oci.Node) ([]byte, bool) {
	if !c.out.Has(n.Descriptor) {
		return nil, false
	}
	return c.LayoutCache.Manifest(n)
}

func (c directoryCache) Keep(desc ocispec.Descriptor, data []byte) (bool, error) {
	return true, written(c.out.Push(desc, data))
}

// recorder is an output where reading a manifest costs a request.
type recorder interface {
	Recorded(desc ocispec.Descriptor) (oci.Entry, bool)
	Relies(desc ocispec.Descriptor) bool
}

// recordedCache is the content of a bucket, whose index.json is believed.
type recordedCache struct {
	directoryCache
	recorder
}

// cacheOf returns the cache of the output of a backup.
func (d *directory) cacheOf(out randomOutput) graph.Cache {
	c := directoryCache{graph.LayoutCache{Layout: out}, d}
	if r, ok := out.(recorder); ok {
		return recordedCache{c, r}
	}
	return c
}
