package base

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// walk finds the blobs that some roots need. A manifest that cannot be read leads to none: what
// only it needs comes along in the delta.
type walk struct {
	blobs *blobs
	lane  *bounds.Lane
	// has reports whether the base has a blob that a manifest names.
	has func(ocispec.Descriptor) bool

	mu   sync.Mutex // guards what follows
	seen map[place]bool
	lost int   // manifests that could not be read
	why  error // that the first of them could not be read
}

// place is a manifest in a repository.
type place struct {
	blobKey
	repository int32
	role       oci.Role
}

func (b *Bases) newWalk(has func(ocispec.Descriptor) bool) *walk {
	return &walk{blobs: &b.blobs, lane: bounds.NewLane(), has: has, seen: make(map[place]bool)}
}

// isAbsent reports whether an error says that a part does not exist: of an index that is cut
// down to some platforms the other children do not.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errdef.ErrNotFound) || origin.IsUnknown(err)
}

// placeMemory is the memory of a manifest that was seen.
const placeMemory = 48

// enter reports whether a manifest is to be read in a repository.
func (w *walk) enter(n oci.Node, repository int32) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := place{keyOf(content.Of(n.Descriptor)), repository, n.Role}
	if w.seen[at] || n.Depth > bounds.Depth {
		return false, nil
	}
	w.seen[at] = true
	return true, bounds.Take(placeMemory)
}

// release returns the memory of a walk that is done.
func (w *walk) release() {
	bounds.Give(int64(placeMemory * len(w.seen)))
	w.seen = nil
}

// lose notes a manifest that could not be read.
func (w *walk) lose(n oci.Node, err error) {
	if n.Role == oci.Child && isAbsent(err) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost++
	if w.why == nil {
		w.why = err
	}
}

// visit adds the blobs of a manifest and of those below it. It returns an error only if the
// walk cannot go on.
func (w *walk) visit(ctx context.Context, o origin.Origin, n oci.Node, repository int32) error {
	if ok, err := w.enter(n, repository); !ok || err != nil {
		return err
	}
	m, err := w.read(ctx, o, n)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		w.lose(n, err)
		return nil
	}
	if m == nil { // a blob that an index names
		return w.leaf(n.Descriptor, repository)
	}
	below := n.Below(m)
	if m.Subject != nil {
		below = append(below, oci.Node{Descriptor: *m.Subject, Role: oci.Child, Depth: n.Depth + 1})
	}
	for _, b := range below[:min(len(below), bounds.Manifests)] {
		if b.Role == oci.Leaf {
			err = w.leaf(b.Descriptor, repository)
		} else {
			err = w.visit(ctx, o, b, repository)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leaf adds a blob if the base has it.
func (w *walk) leaf(desc ocispec.Descriptor, repository int32) error {
	if !w.has(desc) {
		return nil
	}
	return w.blobs.add(content.Of(desc), repository)
}

// read reads a manifest; nil if it is a blob that an index names.
func (w *walk) read(ctx context.Context, o origin.Origin, n oci.Node) (*oci.Manifest, error) {
	ctx, done := w.lane.Begin(ctx)
	defer done()
	data, err := origin.Read(ctx, o, n)
	if err != nil {
		return nil, err
	}
	return n.Decode(ctx, data)
}

// root is a root of a base with a repository that has it.
type root struct {
	origin     origin.Origin
	desc       ocispec.Descriptor
	repository string // "" if it is unknown
}

// visitAll visits some roots, a few at a time.
func (w *walk) visitAll(ctx context.Context, few int, roots iter.Seq[root]) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(few)
	for r := range roots {
		group.Go(func() error {
			n := oci.Node{Descriptor: r.desc, Role: oci.Root}
			return w.visit(ctx, r.origin, n, w.blobs.number(r.repository))
		})
	}
	return group.Wait()
}
