package store

import (
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// trust records which blobs of a directory count if their size is right: those that its
// index.json referenced at opening, since they were synced before it, and those with bytes
// that this run has verified.
//
// Opening does not walk what index.json references, since it would read 100,000 manifests
// for the sake of one. Trust extends as manifests are read. A blob that is needed earlier
// is hashed, which takes time and is as safe.
type trust struct {
	mu    sync.Mutex
	known map[digest.Digest]*scope // guarded by mu
}

// scope is the extent of the trust in a blob.
type scope struct {
	graph     bool   // to all that it references
	platforms string // of an index, only to these platforms
}

var (
	bytesAlone = &scope{}
	wholeGraph = &scope{graph: true}
)

// roots trusts the entries of an index.json, and all that they reference.
func (t *trust) roots(x *oci.Index) {
	cut := make(map[string]*scope)
	for i := range x.Entries {
		e := &x.Entries[i]
		s := wholeGraph
		if e.Platforms != "" {
			if cut[e.Platforms] == nil {
				cut[e.Platforms] = &scope{graph: true, platforms: e.Platforms}
			}
			s = cut[e.Platforms]
		}
		t.add(e.Digest, s)
	}
}

// add trusts d to the extent of s, unless it is trusted further.
func (t *trust) add(d digest.Digest, s *scope) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil {
		t.known = make(map[digest.Digest]*scope)
	}
	if old := t.known[d]; old == nil || !old.graph || s == wholeGraph {
		t.known[d] = s
	}
}

func (t *trust) has(d digest.Digest) bool { return t.scope(d) != nil }

func (t *trust) scope(d digest.Digest) *scope {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known[d]
}

// reached extends trust from a verified manifest to what it references.
func (t *trust) reached(desc ocispec.Descriptor, data []byte) {
	s := t.scope(desc.Digest)
	if s == nil || !s.graph {
		return
	}
	m, err := oci.ParseManifest(desc, data)
	if err != nil {
		return
	}
	for _, leaf := range m.Leaves() {
		t.add(leaf.Digest, s)
	}
	for _, child := range m.Manifests {
		if !oci.IsLeftOut(s.platforms, m, child) {
			t.add(child.Digest, s)
		}
	}
}
