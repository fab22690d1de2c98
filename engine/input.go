package engine

import (
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store"
)

// input is a layout that is being restored: an origin for the graph, and a list
// of what may be asked for.
type input struct {
	*local
	stream *store.Stream // nil: the layout can be read at random
	roots  []root
}

// openInput reads what the entries are: artifacts, or referrers of artifacts.
func openInput(in store.Input) (*input, error) {
	i := &input{}
	switch in := in.(type) {
	case *store.Stream:
		i.stream = in
		i.local = newLocal(streamed{in}, "input")
	case store.Layout:
		i.local = newLocal(in, "input")
	default:
		return nil, fmt.Errorf("unknown kind of input %T", in)
	}
	i.roots = i.rootsOf(i.layout.Index().Entries, config.Reference{})
	return i, nil
}

// family returns a root and, of an index, the manifests below it: what cosign may
// have attached something to.
func (i *input) family(desc ocispec.Descriptor) []digest.Digest {
	below := map[digest.Digest]bool{desc.Digest: true}
	i.walkChildren(desc, below)
	return slices.Sorted(maps.Keys(below))
}

// belongs tells whether a referrer is one of those of an artifact that came
// from a repository. A layout that says nothing about it is taken to mean yes.
func (i *input) belongs(referrer digest.Digest, repository string) bool {
	homes := i.homes[referrer]
	return len(homes) == 0 || repository == "" || slices.Contains(homes, repository)
}

// layoutBlob opens a blob of a layout that has the size that it should have.
func (i *input) layoutBlob(d descriptor) (store.Blob, error) {
	b, err := i.layout.Open(d.digest)
	if err != nil {
		return nil, err
	}
	if b.Size() != d.size {
		_ = b.Close() // the mismatch is what matters
		return nil, &store.MismatchError{Descriptor: d.oci(), Size: b.Size()}
	}
	return b, nil
}
