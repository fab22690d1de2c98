package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store"
)

// openSource sorts the entries of an input into artifacts and their referrers. A dry run
// needs no blob, and reads on to the last index.json of a pipe at once.
func openSource(ctx context.Context, in store.Input, o RestoreOptions) (Source, error) {
	switch in := in.(type) {
	case *store.Stream:
		if o.DryRun {
			if err := readToEnd(ctx, in); err != nil {
				return nil, err
			}
		}
		return newPipe(in, o, nil), nil
	case store.Layout:
		return newLayoutSource(in, o.Progress.Notice), nil
	}
	return nil, fmt.Errorf("unknown kind of input %T", in)
}

// layoutSource is a layout that can be read at random.
type layoutSource struct {
	local  *local
	origin origin // the local, as a graph is walked
	graph  *graph
	roots  []root

	mu      sync.Mutex // guards shelves
	shelves map[string]origin
}

func newLayoutSource(l store.Layout, notice func(string)) *layoutSource {
	s := &layoutSource{local: newLocal(l, "input"), graph: newGraph(graphOptions{Cache: readAgain{}, Notice: notice}), shelves: make(map[string]origin)}
	s.origin = s.local
	if missing := l.Index().Annotations[AnnotationMissing]; missing != "" {
		notice("the backup is incomplete; missing: " + missing)
	}
	s.roots = s.local.rootsOf(l.Index().Entries, config.Reference{})
	return s
}

// readAgain is the cache of a graph that comes from an input: the bytes of a manifest
// are let go of, and read once more when they are needed.
type readAgain struct{ noCache }

// Keep takes nothing: the input has it.
func (readAgain) Keep(ocispec.Descriptor, []byte) (bool, error) { return true, nil }

func (s *layoutSource) Roots() []root { return s.roots }

func (s *layoutSource) Revised() Source { return nil }

func (s *layoutSource) Family(desc ocispec.Descriptor) []digest.Digest {
	below := map[digest.Digest]bool{desc.Digest: true}
	s.local.walkChildren(desc, below)
	return slices.Sorted(maps.Keys(below))
}

func (s *layoutSource) Walk(ctx context.Context, repository string, root descriptor, sc *scope) (*visit, error) {
	return s.graph.tour(ctx, s.of(repository), sc, root.oci(), nil)
}

// of returns the origin of the artifacts of one repository.
func (s *layoutSource) of(repository string) origin {
	if repository == "" {
		return s.origin
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shelves[repository] == nil {
		s.shelves[repository] = &shelf{origin: s.origin, name: repository}
	}
	return s.shelves[repository]
}

// shelf is one repository of a layout: the same manifest may have other referrers in
// another one.
type shelf struct {
	origin
	name string
}

// referrers lists those that came from the repository. A referrer without a known
// repository belongs to all.
func (s *shelf) referrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	all, err := s.origin.referrers(ctx, subject)
	return slices.DeleteFunc(slices.Clone(all), func(desc ocispec.Descriptor) bool {
		homes := s.origin.repositories(desc.Digest)
		return len(homes) > 0 && !slices.Contains(homes, s.name)
	}), err
}

func (s *layoutSource) Manifest(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	return s.local.manifest(ctx, desc)
}

func (s *layoutSource) Certain(v *visit) []*blob { return v.blobs() }

func (s *layoutSource) Blobs(_ context.Context, wanted []descriptor, to Sink) error {
	if err := to.Start(); err != nil {
		return err
	}
	for _, b := range wanted {
		to.Queue(b, s.Content(b), nil)
	}
	return nil
}

func (s *layoutSource) Content(b descriptor) Content { return &layoutBlob{s, b} }

// open opens a blob of the layout. One that the layout lacks may stand in a descriptor.
func (s *layoutSource) open(d descriptor) (store.Blob, error) {
	b, err := s.local.layout.Open(d.digest)
	if errors.Is(err, fs.ErrNotExist) {
		if data := s.graph.embedded(d); data != nil {
			return store.BlobOf(data), nil
		}
	}
	if err != nil {
		return nil, err
	}
	if b.Size() != d.size {
		_ = b.Close() // the mismatch matters more
		return nil, &store.MismatchError{Descriptor: d.oci(), Size: b.Size()}
	}
	return b, nil
}

// Blame hashes the blob.
func (s *layoutSource) Blame(b descriptor, refusal error) error {
	body, err := s.open(b)
	if err != nil {
		return corrupt(err)
	}
	hash := b.digest.Algorithm().Hash()
	_, err = io.Copy(hash, body)
	if err = errors.Join(err, body.Close()); err == nil {
		err = checkHash(b, hash)
	}
	if err != nil {
		return corrupt(err)
	}
	return refusal
}

// layoutBlob is a blob of a layout, which was never hashed on this machine.
type layoutBlob struct {
	source *layoutSource
	descriptor
}

func (b *layoutBlob) Verified() bool { return false }

func (b *layoutBlob) Open(heard func(int64), trusted bool) (io.ReadCloser, error) {
	body, err := b.source.open(b.descriptor)
	if err != nil {
		return nil, err
	}
	hashed := verified(part{Reader: &counted{Reader: body, heard: heard}, Closer: body}, b.descriptor)
	if wrong := hashed.fault(); wrong != nil { // it should be empty, so nothing will read it
		return nil, errors.Join(wrong, body.Close())
	}
	if trusted {
		return unhashed(body, heard), nil
	}
	return hashed, nil
}

// unhashed hands a plain file out as it is: net/http sends it with sendfile, which
// any wrapper would end.
func unhashed(b store.Blob, heard func(int64)) io.ReadCloser {
	if f, ok := b.(store.File); ok {
		heard(b.Size())
		return f.File()
	}
	return part{Reader: &counted{Reader: b, heard: heard}, Closer: b}
}
