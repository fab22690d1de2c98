package base

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"runtime"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// AddLayout adds a layout, which may be a delta itself: what that leaves to its own base
// counts, too. A blob that the layout lacks does not. The index of the layout is forgotten.
func (b *Bases) AddLayout(ctx context.Context, l store.Layout, name string) error {
	d, err := store.ReadDelta(l)
	if err != nil { // what it leaves to its base is unknown
		b.notice(fmt.Sprintf("%s: %v", name, err))
		d = nil
	}
	b.add(name, l.Index().RootsDigest(nil))
	b.tellEmpty(name, len(l.Index().Entries))
	w := b.newWalk(func(desc ocispec.Descriptor) bool { return hasBlob(l, d, desc) })
	err = w.visitAll(ctx, runtime.GOMAXPROCS(0), rootsOf(leaving{origin.NewLocal(l, name), d}, l.Index()))
	b.tellLost(name, w)
	w.release()
	d.Release()
	store.ForgetIndex(l)
	return err
}

// hasBlob reports whether a layout, or the base of a delta, has a blob.
func hasBlob(l store.Layout, d *delta.Delta, desc ocispec.Descriptor) bool {
	size, err := l.Stat(desc.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		return d != nil && !d.Holds(desc.Digest)
	}
	return err == nil && size == desc.Size
}

// leaving is a layout whose blobs may be left to a base, also those that an index names.
type leaving struct {
	*origin.Local
	delta *delta.Delta
}

func (l leaving) Child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	data, err := l.Local.Child(ctx, desc)
	if errors.Is(err, fs.ErrNotExist) && l.delta.Leaves(desc) {
		return nil, nil
	}
	return data, err
}

// rootsOf yields the entries of an index, each in the repositories that it came from.
func rootsOf(o origin.Origin, x *oci.Index) iter.Seq[root] {
	return func(yield func(root) bool) {
		for i := range x.Entries {
			e := &x.Entries[i]
			for _, repository := range repositoriesOf(e) {
				if !yield(root{o, e.Descriptor(), repository}) {
					return
				}
			}
		}
	}
}

// repositoriesOf returns the repositories that an entry came from; "" if that is unknown.
func repositoriesOf(e *oci.Entry) []string {
	if ref, ok := config.ParseEntryName(e.Name); ok && ref.Registry != "" {
		return []string{ref.Name()}
	}
	if len(e.Repositories) == 0 {
		return []string{""}
	}
	return e.Repositories
}

// tellLost tells that some manifests of a base could not be read.
func (b *Bases) tellLost(name string, w *walk) {
	if w.lost > 0 {
		b.notice(fmt.Sprintf("the base %s lacks manifests, %d of them (%v); the blobs that only these need come along", name, w.lost, w.why))
	}
}
