package backup

import (
	"encoding/hex"
	"hash/maphash"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// previous maps the names in the index of a bundle that is about to be replaced to their
// digests. It takes 100 bytes an entry where the index takes 400, since the plan of 100,000
// artifacts is in memory at the same time.
type previous struct {
	seed    maphash.Seed
	entries map[uint64]previousEntry // by the hash of the name
}

type previousEntry struct {
	mediaType string
	sum       [32]byte // sha256
	size      int64
}

// rememberNames returns the names of an index with their digests. It leaves out an entry with
// another algorithm than sha256, which is then fetched as if it were new.
func rememberNames(x *oci.Index) *previous {
	p := &previous{seed: maphash.MakeSeed(), entries: make(map[uint64]previousEntry, len(x.Entries))}
	for i := range x.Entries {
		e := &x.Entries[i]
		kept := previousEntry{mediaType: content.Intern(e.MediaType), size: e.Size}
		if e.Name == "" || e.Digest.Algorithm() != digest.SHA256 {
			continue
		}
		if _, err := hex.Decode(kept.sum[:], []byte(e.Digest.Encoded())); err == nil {
			p.entries[maphash.String(p.seed, e.Name)] = kept
		}
	}
	return p
}

// named returns the descriptor of a name. Two names with one hash do no harm: the caller
// compares the digest with that of the registry.
func (p *previous) named(name string) (ocispec.Descriptor, bool) {
	e, ok := p.entries[maphash.String(p.seed, name)]
	if !ok {
		return ocispec.Descriptor{}, false
	}
	sum := digest.NewDigestFromEncoded(digest.SHA256, hex.EncodeToString(e.sum[:]))
	return ocispec.Descriptor{MediaType: e.mediaType, Digest: sum, Size: e.size}, true
}

// archiveCache is the bundle that a backup replaces, whose content is not fetched.
type archiveCache struct {
	graph.NoCache
	layout store.Layout                                 // nil: there is none
	named  func(name string) (ocispec.Descriptor, bool) // nil: names are no longer looked up
}

// newArchiveCache returns the cache of a bundle, which may be nil. If the bundle can forget
// its index, the cache keeps only the part that a plan needs.
func newArchiveCache(l store.Layout) *archiveCache {
	if l == nil {
		return &archiveCache{}
	}
	c := &archiveCache{layout: l, named: graph.LayoutCache{Layout: l}.Named}
	if l, ok := l.(interface {
		store.Layout
		ForgetIndex()
	}); ok {
		c.named = rememberNames(l.Index()).named
		l.ForgetIndex()
	}
	return c
}

func (c *archiveCache) Named(name string) (ocispec.Descriptor, bool) {
	if c.named == nil {
		return ocispec.Descriptor{}, false
	}
	return c.named(name)
}

func (c *archiveCache) Manifest(n oci.Node) ([]byte, bool) {
	if c.layout == nil {
		return nil, false
	}
	return graph.LayoutCache{Layout: c.layout}.Manifest(n)
}
