package store

import (
	"bytes"
	"compress/flate"
	"io"
	"io/fs"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// maxManifestMemory bounds the memory for the compressed manifests of a stream. Those of
// 100,000 images take 60 MB.
const maxManifestMemory = 128 << 20

// manifestOverhead is the memory of a manifest beside its bytes.
const manifestOverhead = 200

// manifestCache keeps the manifests of a stream until they are needed. It compresses them:
// those of 100,000 images have 200 MB. All calls of add precede the first get; get may be
// called concurrently.
type manifestCache struct {
	deflated map[digest.Digest]deflatedManifest
	bytes    int64                           // accounted for
	linked   map[digest.Digest]*oci.Manifest // those that reference other manifests

	buffer   bytes.Buffer
	deflater *flate.Writer
	inflate  sync.Pool
}

type deflatedManifest struct {
	data []byte
	size int
}

func newManifestCache() *manifestCache {
	h := &manifestCache{deflated: make(map[digest.Digest]deflatedManifest), linked: make(map[digest.Digest]*oci.Manifest)}
	h.deflater, _ = flate.NewWriter(&h.buffer, flate.BestSpeed) // a known level: no error
	return h
}

// add keeps a manifest with verified bytes. If they exceed the memory limit, the error is
// a *bounds.MemoryError.
func (h *manifestCache) add(d digest.Digest, data []byte) error {
	h.buffer.Reset()
	h.deflater.Reset(&h.buffer)
	if _, err := h.deflater.Write(data); err != nil {
		return err
	}
	if err := h.deflater.Close(); err != nil {
		return err
	}
	leads := h.links(d, data)
	if err := h.reserve(h.buffer.Len(), leads); err != nil {
		return err
	}
	h.deflated[d] = deflatedManifest{bytes.Clone(h.buffer.Bytes()), len(data)}
	if leads != nil {
		h.linked[d] = leads
	}
	return nil
}

// links returns what completes needs of a manifest that references others; nil for any
// other.
func (h *manifestCache) links(d digest.Digest, data []byte) *oci.Manifest {
	if !bytes.Contains(data, []byte(`"manifests"`)) && !bytes.Contains(data, []byte(`"subject"`)) {
		return nil
	}
	m, err := oci.ParseManifest(ocispec.Descriptor{Digest: d}, data)
	if err != nil || !m.IsIndex() && m.Subject == nil {
		return nil
	}
	slim := new(oci.Manifest)
	for _, child := range m.Manifests {
		slim.Manifests = append(slim.Manifests, slimDescriptor(child))
	}
	if m.Subject != nil {
		subject := slimDescriptor(*m.Subject)
		slim.Subject = &subject
	}
	return slim
}

// slimDescriptor returns the fields of a descriptor that oci.IsLeftOut needs.
func slimDescriptor(d ocispec.Descriptor) ocispec.Descriptor {
	slim := ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size, Platform: d.Platform}
	if _, is := oci.AttestationOf(d); is {
		slim.Annotations = d.Annotations
	}
	return slim
}

// reserve accounts for the memory of a manifest.
func (h *manifestCache) reserve(packed int, leads *oci.Manifest) error {
	n := int64(manifestOverhead + packed)
	if leads != nil {
		for i := range leads.Manifests {
			n += bounds.DescriptorMemory(&leads.Manifests[i])
		}
		if leads.Subject != nil {
			n += bounds.DescriptorMemory(leads.Subject)
		}
	}
	if h.bytes+n > maxManifestMemory {
		return &bounds.MemoryError{Most: maxManifestMemory}
	}
	if err := bounds.Take(n); err != nil {
		return err
	}
	h.bytes += n
	return nil
}

// release returns that memory, when no manifest is needed any more.
func (h *manifestCache) release() {
	bounds.Give(h.bytes)
	h.bytes = 0
}

// get returns the bytes of a manifest, or fs.ErrNotExist.
func (h *manifestCache) get(d digest.Digest) ([]byte, error) {
	packed, ok := h.deflated[d]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: string(d), Err: fs.ErrNotExist}
	}
	r, ok := h.inflate.Get().(io.ReadCloser)
	if !ok {
		r = flate.NewReader(nil)
	}
	defer h.inflate.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(packed.data), nil); err != nil {
		return nil, err
	}
	data := make([]byte, packed.size)
	_, err := io.ReadFull(r, data)
	return data, err
}

// completes reports whether the cache has every manifest that x reaches, except those left
// out on purpose. A missing child of an index may be a blob, and a subject may be absent:
// before the end of a stream both are uncertain, except in an archive of oras-mirror,
// where manifests come first.
func (h *manifestCache) completes(x *oci.Index) bool {
	seen := make(map[digest.Digest]bool)
	var has func(e *oci.Entry, d digest.Digest, depth int) bool
	has = func(e *oci.Entry, d digest.Digest, depth int) bool {
		if seen[d] || depth > bounds.Depth { // nothing deeper is read
			return true
		}
		if _, ok := h.deflated[d]; !ok {
			return false
		}
		seen[d] = true
		m := h.linked[d]
		if m == nil {
			return true
		}
		for _, child := range m.Manifests {
			blob := e.IsOurs() && !oci.IsManifest(child.MediaType)
			if !has(e, child.Digest, depth+1) && !oci.IsLeftOut(e.Platforms, m, child) && !blob {
				return false
			}
		}
		return e.Name == "" || m.Subject == nil || has(e, m.Subject.Digest, depth+1) || e.IsOurs()
	}
	for i := range x.Entries {
		if !has(&x.Entries[i], x.Entries[i].Digest, 0) {
			return false
		}
	}
	return true
}
