package graph

import (
	"cmp"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Node is one manifest of the run, however many artifacts, repositories or registries share
// it.
type Node struct {
	content.Descriptor
	ArtifactType string // as the manifest says
	kind         string // as a list of referrers says
	Known        bool   // its content is known; else it is copied as bytes alone
	Near         bool   // its bytes came from a disk, whatever names it
	Came         bool   // a registry sent its bytes, too; guarded by graph.mu
	Counted      bool   // in the report
	Index        bool
	recorded     bool // the output has all of its graph: its blobs and children are not listed
	Subject      digest.Digest
	leads        *content.Descriptor  // to its subject, as the manifest describes that; nil: it has none
	Children     []ocispec.Descriptor // of an index: manifests, seldom blobs
	Blobs        []*Blob
	elsewhere    []content.Descriptor // layers that no registry has to have; those that are there are leaves of a visit
	called       map[*Blob]string     // media types that blobs have here, and another manifest gave otherwise
	Data         []byte               // until it is stored
	away         bool                 // it is to be stored, and has to be fetched once more for that
	content      []byte               // the bytes, if it is a blob when an index names it
	raw          *[]byte              // the bytes, if it may be a signature; guarded by graph.mu once it is registered
}

// nodeKey identifies a manifest. If its bytes tell its kind, the media type is "": another
// declaration changes nothing.
type nodeKey struct {
	digest    digest.Digest
	size      int64
	mediaType string
}

// lean returns the children of an index with only the fields that a plan uses: the others
// may take more memory than all the rest of the index.
func lean(children []ocispec.Descriptor) []ocispec.Descriptor {
	var lean []ocispec.Descriptor
	for _, c := range children {
		c.URLs = nil
		if _, is := oci.AttestationOf(c); !is {
			c.Annotations = nil
		}
		lean = append(lean, c)
	}
	return lean
}

func (n *Node) addBlob(b *Blob, mediaType string) {
	n.Blobs = append(n.Blobs, b)
	if b.MediaType == mediaType {
		return
	}
	if n.called == nil {
		n.called = make(map[*Blob]string)
	}
	n.called[b] = mediaType
}

// typeOf returns the media type that a manifest gives one of its blobs.
func (n *Node) typeOf(b *Blob) string {
	if mediaType, otherwise := n.called[b]; otherwise {
		return mediaType
	}
	return b.MediaType
}

// pendingNode is a manifest that is being read, or was.
type pendingNode struct {
	*Node
	sure bool // its bytes alone tell its kind
	err  error
	done chan struct{} // guarded by graph.mu
}

// nodeKeys returns the key of a manifest whose bytes tell its kind, and that of one whose
// media type decides.
func nodeKeys(desc ocispec.Descriptor) (plain, declared nodeKey) {
	plain = nodeKey{desc.Digest, desc.Size, ""}
	declared = plain
	declared.mediaType = cmp.Or(content.Intern(desc.MediaType), "none")
	return plain, declared
}

// Drop frees the bytes of a manifest that no output takes.
func (n *Node) Drop() { n.Data, n.away = nil, false }
