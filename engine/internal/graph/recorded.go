package graph

import (
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// recorded returns a node for a manifest that the output has with all of its graph, nil if its
// bytes have to be read: to find children with referrers of their own, or to choose platforms.
func (g *Graph) recorded(s *scope.Scope, at stop) *Node {
	r, ok := g.Cache.(Recorder)
	if !ok || at.body != nil || at.exact {
		return nil
	}
	e, ok := r.Recorded(at.Descriptor)
	if !ok && at.whole {
		e = oci.Entry{MediaType: at.MediaType, ArtifactType: at.ArtifactType, Digest: at.Digest, Size: at.Size}
	} else if !ok {
		return nil
	}
	index := oci.IsIndex(e.MediaType)
	switch {
	case index && (s.Seeks() || len(s.Platforms) > 0 || e.Platforms != ""):
		return nil
	case !index && !oci.IsImage(e.MediaType), e.Name == "" && !at.whole && (e.Subject == "" || e.ArtifactType == ""):
		return nil // the entry does not say enough
	case !r.Relies(e.Descriptor()):
		return nil
	}
	return g.recordedNode(e)
}

// recordedNode returns the one node of an entry.
func (g *Graph) recordedNode(e oci.Entry) *Node {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := nodeKey{e.Digest, e.Size, e.MediaType}
	n := g.known[key]
	if n == nil {
		n = &Node{Descriptor: content.Of(e.Descriptor()), ArtifactType: content.Intern(e.ArtifactType), kind: content.Intern(e.ArtifactType),
			Known: true, Index: oci.IsIndex(e.MediaType), Subject: e.Subject.Digest(), recorded: true}
		g.known[key] = n
	}
	return n
}

// wholeChildren returns which children of an index the output has with all of their graph: an
// earlier run stored those of the platforms that it selected.
func (g *Graph) wholeChildren(at stop, n *Node) func(ocispec.Descriptor) bool {
	none := func(ocispec.Descriptor) bool { return false }
	r, ok := g.Cache.(Recorder)
	if !ok || !n.Index {
		return none
	}
	e, listed := r.Recorded(n.OCI())
	if !listed {
		return func(ocispec.Descriptor) bool { return at.whole }
	}
	platforms, err := scope.ParsePlatforms(e.Platforms)
	if err != nil {
		return none
	}
	return stored(n, platforms)
}

// stored returns which children of an index a selection of platforms includes. Below another
// index the selection may be narrower, so that one is not included.
func stored(n *Node, platforms []config.Platform) func(ocispec.Descriptor) bool {
	had := (&scope.Scope{Platforms: platforms}).Children(n.Children)
	return func(child ocispec.Descriptor) bool {
		if len(platforms) > 0 && oci.IsIndex(child.MediaType) {
			return false
		}
		return slices.ContainsFunc(had, func(c ocispec.Descriptor) bool { return c.Digest == child.Digest })
	}
}
