package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// layout is the source that a layout makes, which can be read at random.
type layout struct {
	local  *origin.Local
	origin origin.Origin // the local, as a graph is walked
	graph  *graph.Graph
	delta  *delta.Delta // what the layout leaves to a base; nil: nothing
	roots  []origin.Root

	mu      sync.Mutex // guards shelves
	shelves map[string]origin.Origin
}

func newLayout(l store.Layout, notice func(string)) *layout {
	s := &layout{local: origin.NewLocal(l, "input"), graph: graph.New(graph.Options{Cache: graph.Unkept{}, Notice: notice}), shelves: make(map[string]origin.Origin)}
	s.origin = s.local
	if s.delta = readDelta(l, notice); s.delta != nil {
		s.origin = &deltaOrigin{s.local, s.delta}
	}
	if missing := l.Index().Annotations[engine.AnnotationMissing]; missing != "" {
		notice("the backup is incomplete; missing: " + missing)
	}
	s.roots = s.local.RootsOf(l.Index().Entries, config.Reference{})
	return s
}

func (s *layout) Roots() []origin.Root { return s.roots }

func (s *layout) Revised() Source { return nil }

func (s *layout) Family(desc ocispec.Descriptor) []digest.Digest {
	below := map[digest.Digest]bool{desc.Digest: true}
	s.local.WalkChildren(desc, below)
	return slices.Sorted(maps.Keys(below))
}

func (s *layout) Walk(ctx context.Context, repository string, root content.Descriptor, sc *scope.Scope) (*graph.Visit, error) {
	return s.graph.Walk(ctx, s.of(repository), sc, root.OCI(), nil)
}

// of returns the origin of the artifacts of one repository.
func (s *layout) of(repository string) origin.Origin {
	if repository == "" {
		return s.origin
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shelves[repository] == nil {
		s.shelves[repository] = &shelf{Origin: s.origin, name: repository}
	}
	return s.shelves[repository]
}

// shelf is one repository of a layout: the same manifest may have other referrers in
// another one.
type shelf struct {
	origin.Origin
	name string
}

// Referrers lists those that came from the repository. A referrer without a known
// repository belongs to all.
func (s *shelf) Referrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	all, err := s.Origin.Referrers(ctx, subject)
	return slices.DeleteFunc(slices.Clone(all), func(desc ocispec.Descriptor) bool {
		homes := s.Origin.Repositories(desc.Digest)
		return len(homes) > 0 && !slices.Contains(homes, s.name)
	}), err
}

func (s *layout) Manifest(ctx context.Context, root content.Descriptor, _ *scope.Scope) ([]byte, error) {
	return s.local.Manifest(ctx, root.OCI())
}

func (s *layout) Fault(err error) error { return Corrupt(err) }

// Certain omits the layers that a delta need not have.
func (s *layout) Certain(v *graph.Visit) []*graph.Blob {
	if s.delta == nil || v.Node.Index {
		return v.Blobs()
	}
	return v.Node.Blobs
}

func (s *layout) Blobs(_ context.Context, wanted []content.Descriptor, to Sink) error {
	if err := to.Start(); err != nil {
		return err
	}
	for _, b := range wanted {
		if left := s.Left(b); left != nil {
			to.Borrow(b, left)
			continue
		}
		to.Queue(b, s.Content(b), nil)
	}
	return nil
}

func (s *layout) Content(b content.Descriptor) Content { return &layoutBlob{s, b} }

// open opens a blob of the layout. A blob that the layout lacks may be embedded in a
// descriptor.
func (s *layout) open(d content.Descriptor) (store.Blob, error) {
	b, err := s.local.Layout.Open(d.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		if data := s.embedded(d); data != nil {
			return store.BlobOf(data), nil
		}
		if left := s.Left(d); left != nil {
			return nil, left
		}
	}
	if err != nil {
		return nil, err
	}
	if b.Size() != d.Size {
		_ = b.Close() // the mismatch matters more
		return nil, &oci.MismatchError{Descriptor: d.OCI(), Size: b.Size()}
	}
	return b, nil
}

// Blame hashes the blob to find out whether the layout is at fault.
func (s *layout) Blame(b content.Descriptor, refusal error) error {
	body, err := s.open(b)
	if needs, is := errors.AsType[*engine.NeedsBaseError](err); is {
		return needs
	}
	if err != nil {
		return Corrupt(err)
	}
	hash := b.Digest.Algorithm().Hash()
	_, err = io.Copy(hash, body)
	if err = errors.Join(err, body.Close()); err == nil {
		err = content.CheckHash(b, hash)
	}
	if err != nil {
		return Corrupt(err)
	}
	return refusal
}

// layoutBlob is a blob of a layout. Its bytes are not verified yet.
type layoutBlob struct {
	source *layout
	content.Descriptor
}

func (b *layoutBlob) Verified() bool { return false }

func (b *layoutBlob) Open(_ context.Context, r Reading) (io.ReadCloser, error) {
	body, err := b.source.open(b.Descriptor)
	if err != nil {
		return nil, err
	}
	hashed := verified(body, r.Heard, b.Descriptor)
	if wrong := hashed.fault(); wrong != nil { // it should be empty, so nothing will read it
		return nil, errors.Join(wrong, body.Close())
	}
	if r.Trusted {
		return unhashed(body, r.Heard), nil
	}
	return hashed, nil
}

// unhashed returns a plain file without a wrapper, so that net/http sends it with sendfile.
func unhashed(b store.Blob, heard func(int64)) io.ReadCloser {
	if f, ok := b.(store.File); ok {
		heard(b.Size())
		return f.File()
	}
	return origin.Part{Reader: &headway.Counted{Reader: b, Heard: heard}, Closer: b}
}
